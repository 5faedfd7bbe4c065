// SPDX-License-Identifier: Apache-2.0
// An HTTP server with the means of node: GET / says hello, GET /primes?N counts the primes below N on four worker
// threads, POST /echo sends the body back, GET /hash hashes in the thread pool. SIGTERM ends it in order.
'use strict';
const crypto = require('crypto');
const http = require('http');
const { isMainThread, parentPort, Worker } = require('worker_threads');

const PARTS = 4;

function primes({ from, step, below }) {
  let count = 0;
  for (let n = from; n < below; n += step) {
    let d = 2;
    while (d * d <= n && n % d !== 0) d++;
    if (n > 1 && d * d > n) count++;
  }
  return count;
}

// One question at a time for each worker, answered in order.
function startWorkers() {
  return [...Array(PARTS).keys()].map((from) => {
    const worker = new Worker(__filename);
    const waiting = [];
    worker.on('message', (count) => waiting.shift()(count));
    return (below) => new Promise((resolve) => {
      waiting.push(resolve);
      worker.postMessage({ from, step: PARTS, below });
    });
  });
}

function serve(port) {
  const workers = startWorkers();
  const server = http.createServer(async (request, response) => {
    const { pathname, search } = new URL(request.url, 'http://instance');
    if (pathname === '/echo') return request.pipe(response);
    if (pathname === '/hash') return crypto.pbkdf2('uigniter', 'salt', 1000, 20, 'sha1', (_, key) => response.end(key.toString('hex') + '\n'));
    if (pathname === '/primes') {
      const counts = await Promise.all(workers.map((ask) => ask(Number(search.slice(1)))));
      return response.end(counts.reduce((a, b) => a + b) + '\n');
    }
    return response.end(`hello from node ${process.version}\n`);
  });
  server.listen(port, () => console.log('listening'));
  process.on('SIGTERM', () => {
    console.log('stopped');
    process.exit(0);
  });
}

if (isMainThread) {
  serve(Number(process.argv[2]));
} else {
  parentPort.on('message', (part) => parentPort.postMessage(primes(part)));
}
