// SPDX-License-Identifier: Apache-2.0
// Assertions over what node takes from the kernel: files, timers, threads, sockets, compression, cryptography, and that what an
// instance has not (other processes) fails as an error that can be caught. Last line: "node ok: N of N checks".
// Runs on Linux as well; UNIKERNEL in the environment says that there are no processes.
'use strict';
const assert = require('assert');
const { once } = require('events');
const crypto = require('crypto');
const dgram = require('dgram');
const dns = require('dns');
const fs = require('fs');
const http = require('http');
const net = require('net');
const os = require('os');
const path = require('path');
const { spawn, spawnSync, execFile, execFileSync, fork } = require('child_process');
const { pipeline } = require('stream/promises');
const { setTimeout: sleep } = require('timers/promises');
const util = require('util');
const { Worker, MessageChannel, receiveMessageOnPort } = require('worker_threads');
const zlib = require('zlib');

const tests = {
  'files: write, read, append, stat, rename, unlink'() {
    const dir = fs.mkdtempSync('/tmp/check-');
    const name = path.join(dir, 'a');
    fs.writeFileSync(name, 'one\n');
    fs.appendFileSync(name, 'two\n');
    assert.strictEqual(fs.readFileSync(name, 'utf8'), 'one\ntwo\n');
    const s = fs.statSync(name, { bigint: true });
    assert.strictEqual(s.size, 8n);
    assert.ok(s.isFile() && s.mtimeNs > 0n);
    fs.renameSync(name, name + '2');
    assert.throws(() => fs.statSync(name), { code: 'ENOENT' });
    fs.truncateSync(name + '2', 3);
    fs.symlinkSync('a2', path.join(dir, 'link'));
    assert.strictEqual(fs.realpathSync(path.join(dir, 'link')), name + '2');
    assert.deepStrictEqual(fs.readdirSync(dir).sort(), ['a2', 'link']);
    fs.rmSync(dir, { recursive: true });
    assert.ok(!fs.existsSync(dir));
  },

  async 'files: promises, streams, positions, many at a time'() {
    const dir = await fs.promises.mkdtemp('/tmp/check-');
    const data = crypto.randomBytes(1 << 20);
    await Promise.all([...Array(40).keys()].map((i) => fs.promises.writeFile(`${dir}/f${i}`, data.subarray(0, i * 1000))));
    const sizes = await Promise.all([...Array(40).keys()].map(async (i) => (await fs.promises.stat(`${dir}/f${i}`)).size));
    assert.deepStrictEqual(sizes, [...Array(40).keys()].map((i) => i * 1000));
    await fs.promises.writeFile(`${dir}/big`, data);
    await pipeline(fs.createReadStream(`${dir}/big`), fs.createWriteStream(`${dir}/copy`));
    assert.ok((await fs.promises.readFile(`${dir}/copy`)).equals(data));
    await fs.promises.copyFile(`${dir}/big`, `${dir}/copy2`);
    const file = await fs.promises.open(`${dir}/copy2`, 'r+');
    await file.write('xyz', 1000);
    const { buffer } = await file.read(Buffer.alloc(5), 0, 5, 999);
    assert.strictEqual(buffer.subarray(1, 4).toString(), 'xyz');
    await file.datasync();
    await file.close();
    await fs.promises.rm(dir, { recursive: true });
  },

  async 'files: watch'() {
    const dir = fs.mkdtempSync('/tmp/check-');
    fs.writeFileSync(`${dir}/w`, '1');
    const changed = new Promise((resolve) => fs.watchFile(`${dir}/w`, { interval: 20 }, (now) => resolve(now.size)));
    const writer = setInterval(() => fs.appendFileSync(`${dir}/w`, '+'), 30); // whenever the first look is, a change follows
    assert.ok(await changed > 1);
    clearInterval(writer);
    fs.unwatchFile(`${dir}/w`);
    fs.rmSync(dir, { recursive: true });
  },

  async 'timers: order, intervals, immediates, clocks'() {
    const order = [];
    setTimeout(() => order.push('30'), 30);
    setTimeout(() => order.push('10'), 10);
    setImmediate(() => order.push('immediate'));
    process.nextTick(() => order.push('tick'));
    const from = process.hrtime.bigint();
    await sleep(60);
    assert.ok(process.hrtime.bigint() - from >= 59_000_000n);
    assert.deepStrictEqual(order, ['tick', 'immediate', '10', '30']);
    let turns = 0;
    await new Promise((resolve) => {
      const timer = setInterval(() => { if (++turns === 5) { clearInterval(timer); resolve(); } }, 2);
    });
    assert.ok(Math.abs(Date.now() - (performance.timeOrigin + performance.now())) < 1000);
  },

  async 'crypto: thread pool and synchronous calls agree with known answers'() {
    assert.strictEqual(crypto.createHash('sha256').update('abc').digest('hex'),
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    const keys = await Promise.all(Array(8).fill().map(() => util.promisify(crypto.pbkdf2)('password', 'salt', 4096, 20, 'sha1')));
    for (const key of keys) assert.strictEqual(key.toString('hex'), '4b007901b765489abead49d926f721d065a429c1');
    const { publicKey, privateKey } = await util.promisify(crypto.generateKeyPair)('ec', { namedCurve: 'P-256' });
    assert.ok(crypto.verify('sha256', 'text', publicKey, crypto.sign('sha256', 'text', privateKey)));
    const [key, iv] = [crypto.randomBytes(32), crypto.randomBytes(12)];
    const seal = crypto.createCipheriv('aes-256-gcm', key, iv);
    const text = Buffer.concat([seal.update('secret'), seal.final()]);
    const open = crypto.createDecipheriv('aes-256-gcm', key, iv).setAuthTag(seal.getAuthTag());
    assert.strictEqual(open.update(text, null, 'utf8') + open.final('utf8'), 'secret');
    assert.notDeepStrictEqual(await util.promisify(crypto.randomBytes)(16), crypto.randomBytes(16));
  },

  async 'zlib: all forms there and back'() {
    const data = Buffer.from('uigniter '.repeat(50000));
    for (const [pack, unpack] of [['gzip', 'gunzip'], ['deflate', 'inflate'], ['brotliCompress', 'brotliDecompress']]) {
      const packed = await util.promisify(zlib[pack])(data);
      assert.ok(packed.length < data.length / 10);
      assert.ok((await util.promisify(zlib[unpack])(packed)).equals(data));
    }
  },

  async 'worker threads: messages, shared memory, Atomics, a crash'() {
    const source = `const { parentPort, workerData } = require('worker_threads');
      const cell = new Int32Array(workerData.shared);
      for (let i = 0; i < 20000; i++) Atomics.add(cell, 0, 1);
      if (workerData.crash) throw new Error('as told');
      parentPort.once('message', (n) => parentPort.postMessage(n * n));`;
    const shared = new SharedArrayBuffer(8);
    const workers = Array(4).fill().map(() => new Worker(source, { eval: true, workerData: { shared } }));
    const answers = await Promise.all(workers.map(async (worker, i) => {
      worker.postMessage(i + 5);
      const [answer] = await once(worker, 'message');
      await worker.terminate(); // it may have ended by itself
      return answer;
    }));
    assert.deepStrictEqual(answers, [25, 36, 49, 64]);
    assert.strictEqual(new Int32Array(shared)[0], 80000);
    const [error] = await once(new Worker(source, { eval: true, workerData: { shared, crash: true } }), 'error');
    assert.strictEqual(error.message, 'as told');
    const waiter = new Worker(`const { workerData } = require('worker_threads');
      const cell = new Int32Array(workerData); Atomics.wait(cell, 1, 0); Atomics.store(cell, 1, 2);`, { eval: true, workerData: shared });
    const cell = new Int32Array(shared);
    while (!Atomics.notify(cell, 1, 1)) await sleep(1);
    await once(waiter, 'exit');
    assert.strictEqual(cell[1], 2);
    const { port1, port2 } = new MessageChannel();
    port1.postMessage({ a: [1, 2] });
    assert.deepStrictEqual(receiveMessageOnPort(port2), { message: { a: [1, 2] } });
    port1.close();
  },

  async 'worker threads: one that loops is ended, one with a memory limit dies alone'() {
    const spinner = new Worker('for (;;) ;', { eval: true });
    await once(spinner, 'online');
    assert.strictEqual(await spinner.terminate(), 1);
    const hungry = new Worker('const a = []; for (;;) a.push(new Array(10000).fill(a.length));',
      { eval: true, resourceLimits: { maxOldGenerationSizeMb: 16 } });
    const [error] = await once(hungry, 'error');
    assert.strictEqual(error.code, 'ERR_WORKER_OUT_OF_MEMORY');
  },

  async 'net: TCP, half-close, Unix socket, refused, reset'() {
    for (const where of [{ port: 0, host: '127.0.0.1' }, { path: '/tmp/check.sock' }]) {
      const server = net.createServer({ allowHalfOpen: true }, (socket) => {
        const parts = [];
        socket.on('data', (part) => parts.push(part)).on('end', () => socket.end(Buffer.concat(parts)));
      }).listen(where);
      await once(server, 'listening');
      const to = where.path ? where : { port: server.address().port, host: '127.0.0.1' };
      const data = crypto.randomBytes(300000);
      const results = await Promise.all(Array(10).fill().map(async () => {
        const client = net.connect(to);
        client.end(data);
        const parts = [];
        for await (const part of client) parts.push(part);
        return Buffer.concat(parts).equals(data);
      }));
      assert.ok(results.every(Boolean));
      server.close();
      await once(server, 'close');
      const [error] = await once(net.connect(to), 'error');
      assert.ok(['ECONNREFUSED', 'ENOENT'].includes(error.code), error.code);
    }
    const server = net.createServer((socket) => socket.on('error', () => {}).resetAndDestroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const [error] = await once(net.connect(server.address().port, '127.0.0.1').resume(), 'error');
    assert.strictEqual(error.code, 'ECONNRESET');
    const [used] = await once(net.createServer().listen(server.address().port, '127.0.0.1'), 'error');
    assert.strictEqual(used.code, 'EADDRINUSE');
    server.close();
  },

  async 'dgram: UDP there and back'() {
    const socket = dgram.createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const peer = dgram.createSocket('udp4');
    peer.send('hello', socket.address().port, '127.0.0.1');
    const [message, from] = await once(socket, 'message');
    assert.strictEqual(message.toString(), 'hello');
    socket.send('back', from.port, '127.0.0.1');
    assert.strictEqual((await once(peer, 'message'))[0].toString(), 'back');
    socket.close();
    peer.close();
  },

  async 'http: keep-alive, chunks, concurrency, errors'() {
    const server = http.createServer((request, response) => {
      if (request.url === '/none') return response.writeHead(404).end();
      if (request.url === '/hang') return request.socket.destroy();
      request.pipe(response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    const ask = (url, body) => new Promise((resolve, reject) => {
      const request = http.request({ port: server.address().port, host: '127.0.0.1', path: url, method: 'POST', agent }, async (response) => {
        const parts = [];
        for await (const part of response) parts.push(part);
        resolve({ status: response.statusCode, body: Buffer.concat(parts) });
      });
      request.on('error', reject).end(body);
    });
    const bodies = [...Array(100).keys()].map((i) => crypto.randomBytes(i * 700));
    const answers = await Promise.all(bodies.map((body) => ask('/', body)));
    answers.forEach((answer, i) => assert.ok(answer.status === 200 && answer.body.equals(bodies[i])));
    assert.strictEqual((await ask('/none')).status, 404);
    await assert.rejects(ask('/hang'), { code: 'ECONNRESET' });
    const text = await (await fetch(`http://127.0.0.1:${server.address().port}/`, { method: 'POST', body: 'by fetch' })).text();
    assert.strictEqual(text, 'by fetch');
    agent.destroy();
    server.close();
    server.closeAllConnections();
  },

  async 'signals: handlers of its own'() {
    const got = once(process, 'SIGUSR2');
    process.kill(process.pid, 'SIGUSR2');
    assert.deepStrictEqual(await got, ['SIGUSR2', 12]);
    assert.throws(() => process.kill(999999, 0), { code: 'ESRCH' });
  },

  async 'os, process, dns'() {
    assert.ok(os.cpus().length >= 1 && os.totalmem() > os.freemem());
    assert.ok(os.networkInterfaces().lo[0].address === '127.0.0.1');
    assert.ok(process.memoryUsage().rss > 0 && process.resourceUsage().maxRSS > 0);
    assert.strictEqual(os.userInfo().uid, process.getuid());
    assert.ok(os.hostname().length > 0 && os.uptime() >= 0);
    assert.strictEqual((await dns.promises.lookup('localhost', 4)).address, '127.0.0.1');
  },

  'memory: buffers and garbage'() {
    let kept = 0;
    for (let i = 0; i < 200; i++) kept += Buffer.alloc(1 << 20, 1)[i];
    assert.strictEqual(kept, 200);
    let list = null;
    for (let i = 0; i < 2e6; i++) list = { next: i % 1000 ? list : null, i };
    assert.strictEqual(list.i, 1999999);
  },

  'code: WebAssembly and hot loops'() {
    // (func (export "f") (param i32) (result i32) local.get 0 i32.const 2 i32.mul)
    const code = Buffer.from('0061736d0100000001060160017f017f030201000705010166' + '00000a09010700200041026c0b', 'hex');
    assert.strictEqual(new WebAssembly.Instance(new WebAssembly.Module(code)).exports.f(21), 42);
    const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
    assert.strictEqual(fib(27), 196418);
    assert.throws(() => { (function deep() { deep(); })(); }, RangeError);
  },

  'no processes: an error that says so'() {
    if (!process.env.UNIKERNEL) return;
    assert.throws(() => spawn('/bin/true'), { code: 'ENOSYS' });
    assert.throws(() => fork('/app/check.js'), { code: 'ENOSYS' });
    assert.throws(() => execFileSync('/bin/true'), { code: 'ENOSYS' });
    assert.strictEqual(spawnSync('/bin/true').error.code, 'ENOSYS');
    assert.throws(() => execFile('/bin/true', () => {}), { code: 'ENOSYS' });
  },
};

async function main() {
  const only = process.argv[2] || '';
  const names = Object.keys(tests).filter((name) => name.includes(only));
  const alive = setInterval(() => {}, 1000); // a check that waits for nothing must not end the process unseen
  let done = 0;
  for (const name of names) {
    try {
      await tests[name]();
      done++;
    } catch (error) {
      console.log(`failed: ${name}\n${error.stack}`);
    }
  }
  clearInterval(alive);
  process.exitCode = done && done === names.length ? 0 : 1;
  console.log(`node ${process.exitCode ? 'failed' : 'ok'}: ${done} of ${names.length} checks`);
}

main();
