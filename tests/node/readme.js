'use strict';

// The README as a test sees it: the code in its fences, and its console sessions played in a shell.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');

/** The contents of its fences in that language, in order. */
function fences(language) {
  const text = fs.readFileSync(path.join(root, 'README.md'), 'utf8');
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].filter((fence) => fence[1] === language).map((fence) => fence[2]);
}

/** What the `console` fences say, from top to bottom: each command, and the lines that answer it. */
function session() {
  const steps = [];
  for (const line of fences('console').join('').trimEnd().split('\n')) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), answer: [] });
    else steps.at(-1).answer.push(line);
  }
  return steps;
}

/** Plays the commands in one bash, one after the other; the lines that each answered, on standard output or error. */
async function play(commands, cwd, env, signal) {
  const mark = '@@ step';
  const script = path.join(cwd, 'session.sh');
  const output = path.join(cwd, 'session.out');
  fs.writeFileSync(script, commands.map((command) => `echo; echo '${mark}'\n${command}\n`).join(''));
  const out = fs.openSync(output, 'w'); // no pipe: what the session leaves running would keep it open
  const bash = spawn('bash', [script], { cwd, env, signal, stdio: ['ignore', out, out] });
  await once(bash, 'exit');
  fs.closeSync(out);
  const answers = fs.readFileSync(output, 'utf8').split(`\n${mark}\n`).slice(1);
  return answers.map((answer) => answer.split('\n').filter((line) => line && !/ Terminated /.test(line)));
}

/** Whether an answer came as it is told: any number for a number, blanks as a table needs them, anything for `…`. */
function comesAsTold(came, told) {
  const plain = (lines) => lines.filter((line) => line).join('\n').replace(/\d+([,.:]\d+)*/g, '0').replace(/ +/g, ' ');
  const pattern = plain(told).split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('[^]*');
  return new RegExp(`^${pattern}$`).test(plain(came));
}

module.exports = { root, fences, session, play, comesAsTold };
