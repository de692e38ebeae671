// An orchestrator: hands in tasks, each after the one before, and ends when all of them have.
//
//   node orchestrator.js [COUNT [CAPABILITY...]]

const WebSocket = require('ws');

const httpUrl = process.env.COORDINATION_HTTP_URL || 'http://localhost:9500';
const wsUrl = process.env.COORDINATION_WS_URL || 'ws://localhost:9501';
const [count = '3', ...capabilities] = process.argv.slice(2);

async function submit(tasks) {
  const response = await fetch(`${httpUrl}/api/tasks/submit-batch`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ tasks })
  });
  const answer = await response.json();
  if (!answer.success) throw new Error(`${answer.code}: ${answer.error}`);
}

const prefix = `task-${Date.now()}`;
const tasks = Array.from({ length: Number(count) }, (_, i) => ({
  taskId: `${prefix}-${i + 1}`,
  capabilities,
  priority: 'high',
  dependsOn: i === 0 ? [] : [`${prefix}-${i}`],
  retry: { maxFailures: 3, backoff: { type: 'exponential', baseMs: 1000, jitter: true } },
  taskData: { title: `Automated task ${i + 1}` }
}));
const open = new Set(tasks.map((task) => task.taskId));

const socket = new WebSocket(wsUrl);
socket.on('open', () => {
  socket.send(JSON.stringify({ type: 'subscribe', topics: ['workers:set', 'tasks:*'], values: true, requestId: 1 }));
});
socket.on('message', (data) => {
  const { type, change } = JSON.parse(data);
  if (type === 'response') return submit(tasks); // subscribed: from here on nothing is missed
  if (type !== 'state_change') return;
  const { collection, key, value } = change;
  if (collection === 'workers') console.log(`Worker registered: ${key}`);
  if (!open.has(key)) return;
  if (value.status === 'assigned') console.log(`Assigned ${key} to ${value.assignedTo}`);
  if (!['completed', 'failed', 'cancelled'].includes(value.status)) return;
  console.log(`Task ${value.status}: ${key}`);
  open.delete(key);
  if (open.size === 0) socket.close();
});
