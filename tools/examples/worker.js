// A worker: takes the tasks that it is sent, tells its progress, and completes them.
//
//   node worker.js [ID [CAPABILITY...]]

const WebSocket = require('ws');

const url = process.env.COORDINATION_WS_URL || 'ws://localhost:9501';
const [workerId = 'worker-001', ...capabilities] = process.argv.slice(2);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const cancelled = new Set(); // fences of attempts that are not wanted any more
let socket;

async function send(message) {
  while (socket.readyState !== WebSocket.OPEN) await sleep(100); // until connect() has brought it back
  socket.send(JSON.stringify(message));
}

async function performTask(task) {
  const report = (fields) => send({ type: 'task_update', taskId: task.id, fence: task.fence, ...fields });
  try {
    for (let progress = 25; progress <= 100; progress += 25) {
      await sleep(100); // the work
      if (cancelled.has(task.fence)) return report({ status: 'cancelled' });
      await report({ status: 'in_progress', progress });
    }
    await report({ status: 'completed', result: { output: `${task.title || task.id}: done` } });
  } catch (error) {
    await report({ status: 'failed', error: { message: error.message } });
  }
}

function connect() {
  let heartbeat;
  socket = new WebSocket(url);
  socket.on('open', () => send({ type: 'register', workerId, capabilities }));
  socket.on('message', (data) => {
    const message = JSON.parse(data);
    if (message.type === 'registered') {
      console.log(`${workerId} is registered`);
      heartbeat = setInterval(() => send({ type: 'heartbeat', workerId }), message.heartbeatInterval);
    } else if (message.type === 'task_assigned') {
      console.log(`${workerId} received ${message.task.id}`);
      performTask(message.task);
    } else if (message.type === 'task_cancelled') {
      cancelled.add(message.task.fence);
    } else if (message.type === 'error') {
      console.error(message.message);
    }
  });
  socket.on('error', (error) => console.error(error.message)); // and then it closes
  socket.on('close', () => {
    clearInterval(heartbeat);
    setTimeout(connect, 1000);
  });
}

connect();
