// A dashboard, drawn anew every two seconds.
//
//   node monitor.js

const baseUrl = process.env.COORDINATION_HTTP_URL || 'http://localhost:9500';
const get = (path) => fetch(baseUrl + path).then((response) => response.json());

async function monitorDaemon() {
  const [metrics, state] = await Promise.all([get('/api/metrics'), get('/api/state')]);

  console.clear();
  console.log('=== Coordination Daemon Status ===\n');
  console.log(`Operations/sec: ${metrics.daemon.operationsPerSecond}`);
  console.log(`Average latency: ${metrics.daemon.averageLatency.toFixed(2)}ms`);
  console.log(`Active workers: ${metrics.daemon.activeWorkers} of ${state.metadata.totalWorkers}`);
  console.log(`Active tasks: ${metrics.daemon.activeTasks}, ${metrics.daemon.pendingTasks} waiting`);
  console.log(`Queue depth: ${metrics.messageBus.queueDepth}`);
  console.log(`Uptime: ${Math.round(metrics.daemon.uptime / 1000)}s`);
  for (const [task, worker] of state.assignments) console.log(`  ${task} at ${worker}`);
}

const draw = () => monitorDaemon().catch((error) => console.error(`${baseUrl}: ${error.message}`));
draw();
setInterval(draw, 2000);
