'use strict';

// The original's client library as its README describes it: the methods, events and message shapes of the seed.
// It knows nothing that the seed does not tell, so what works here works for every client of the original.

const { EventEmitter } = require('node:events');
const WebSocket = require('ws');

class CoordinationClient extends EventEmitter {
  constructor(options = {}) {
    super();
    this.workerId = options.workerId || `worker-${process.pid}-${Date.now()}`;
    this.capabilities = options.capabilities || [];
    this.wsUrl = options.wsUrl || 'ws://localhost:9501';
    this.httpUrl = options.httpUrl || 'http://localhost:9500';
    this.reconnect = options.reconnect !== false;
    this.reconnectInterval = options.reconnectInterval || 5000;
    this.heartbeatInterval = options.heartbeatInterval || 5000;
    this.metadata = options.metadata || {};

    this.ws = null;
    this.connected = false;
    this.wasConnected = false;
    this.closing = false;
    this.heartbeatTimer = null;
    this.reconnectTimer = null;
    this.metrics = { messagesSent: 0, messagesReceived: 0, tasksReceived: 0, reconnects: 0 };
  }

  connect() {
    this.closing = false;
    return new Promise((resolve, reject) => {
      const ws = new WebSocket(this.wsUrl, { perMessageDeflate: false });
      this.ws = ws;

      ws.on('open', () => {
        this.connected = true;
        this._send({
          type: 'register',
          workerId: this.workerId,
          capabilities: this.capabilities,
          metadata: this.metadata
        });
        this._startHeartbeat();
        if (this.wasConnected) {
          this.metrics.reconnects += 1;
          this.emit('reconnected');
        } else {
          this.emit('connected');
        }
        this.wasConnected = true;
        resolve();
      });

      ws.on('message', (data) => this._handleMessage(data));

      ws.on('close', (code) => {
        this._stopHeartbeat();
        if (this.connected) {
          this.connected = false;
          this.emit('disconnected', code);
        }
        if (this.reconnect && !this.closing && this.wasConnected) this._scheduleReconnect();
      });

      ws.on('error', (error) => {
        if (this.connected) this.emit('error', error);
        else if (!this.wasConnected) reject(error);
      });
    });
  }

  disconnect() {
    this.closing = true;
    clearTimeout(this.reconnectTimer);
    this._stopHeartbeat();
    if (this.ws) this.ws.close(1000);
  }

  updateTask(taskId, status, data = {}) {
    this._send({ type: 'task_update', taskId, status, ...data });
  }

  completeTask(taskId, result) {
    this.updateTask(taskId, 'completed', { result });
  }

  failTask(taskId, error) {
    this.updateTask(taskId, 'failed', { error });
  }

  updateProgress(taskId, progress) {
    this.updateTask(taskId, 'in_progress', { progress });
  }

  subscribe(topics) {
    this._send({ type: 'subscribe', topics: Array.isArray(topics) ? topics : [topics] });
  }

  getMetrics() {
    return { ...this.metrics, connected: this.connected };
  }

  registerHttp() {
    return this._http('POST', '/api/workers/register', {
      workerId: this.workerId,
      capabilities: this.capabilities,
      metadata: this.metadata
    });
  }

  unregisterHttp() {
    return this._http('POST', '/api/workers/unregister', { workerId: this.workerId });
  }

  completeTaskHttp(taskId, result) {
    return this._http('POST', '/api/tasks/complete', { taskId, result });
  }

  failTaskHttp(taskId, error) {
    return this._http('POST', '/api/tasks/fail', { taskId, error });
  }

  getState() {
    return this._http('GET', '/api/state');
  }

  getDaemonMetrics() {
    return this._http('GET', '/api/metrics');
  }

  async _http(method, path, body) {
    const response = await fetch(this.httpUrl + path, {
      method,
      headers: body ? { 'Content-Type': 'application/json' } : {},
      body: body ? JSON.stringify(body) : undefined
    });
    const data = await response.json();
    if (!response.ok) throw new Error(data.error || `HTTP ${response.status}`);
    return data;
  }

  _send(message) {
    if (!this.ws || this.ws.readyState !== WebSocket.OPEN) throw new Error('Not connected');
    this.ws.send(JSON.stringify(message));
    this.metrics.messagesSent += 1;
  }

  _handleMessage(data) {
    const message = JSON.parse(data.toString());
    this.metrics.messagesReceived += 1;
    switch (message.type) {
      case 'registered':
        this.emit('registered', message);
        break;
      case 'heartbeat_ack':
        this.emit('heartbeat_ack', message);
        break;
      case 'task_assigned':
        this.metrics.tasksReceived += 1;
        this.emit('task_assigned', message.task);
        break;
      case 'state_change':
        this.emit('state_change', message.change);
        break;
      case 'error':
        this.emit('error', new Error(message.message));
        break;
      default:
        this.emit('error', new Error(`Unknown message type: ${message.type}`));
    }
  }

  _startHeartbeat() {
    this._stopHeartbeat();
    this.heartbeatTimer = setInterval(() => {
      if (this.connected) this._send({ type: 'heartbeat', workerId: this.workerId });
    }, this.heartbeatInterval);
  }

  _stopHeartbeat() {
    clearInterval(this.heartbeatTimer);
    this.heartbeatTimer = null;
  }

  _scheduleReconnect() {
    this.emit('reconnecting');
    this.reconnectTimer = setTimeout(() => this.connect().catch(() => {}), this.reconnectInterval);
  }
}

module.exports = { CoordinationClient };
