'use strict';

// Starts the real daemon, whose path is in COORDINATION_DAEMON, and says where it listens.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');

const binary = process.env.COORDINATION_DAEMON;
if (!binary) throw new Error('COORDINATION_DAEMON must name the binary of the daemon');

/** Is removed at the very end: a daemon that stops still writes to it. */
function temporaryFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'coordination-node-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Resolves when the daemon is ready; it is stopped, and must end well, when the test `t` does. */
async function startDaemon(t, flags = [], cwd = temporaryFolder()) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('COORDINATION_')));
  const child = spawn(binary, ['--port', '0', '--ws-port', '0', ...flags], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (data) => { log += data; });
  const exited = once(child, 'exit');

  const stop = async (signal = 'SIGTERM') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const [status] = await exited;
    if (signal !== 'SIGKILL' && status !== 0) throw new Error(`the daemon ended with ${status}: ${log}`);
  };
  t.after(() => stop());

  for await (const line of readline.createInterface({ input: child.stdout })) {
    const ready = /^listening http=\S+:(\d+) ws=\S+:(\d+)$/.exec(line);
    if (ready) {
      const [, port, wsPort] = ready;
      return { port, wsPort, httpUrl: `http://localhost:${port}`, wsUrl: `ws://localhost:${wsPort}`, stop };
    }
  }
  throw new Error(`the daemon did not start: ${log}`);
}

module.exports = { startDaemon, temporaryFolder };
