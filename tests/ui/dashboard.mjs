// SPDX-License-Identifier: Apache-2.0
// The dashboard in a real browser: node dashboard.mjs URL SOCKET FOLDER [SCREENSHOTS]. SOCKET is the manager's, FOLDER has node_modules.
// Waits are for what happens, never for time.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { request } from 'node:http';
import assert from 'node:assert/strict';

const [url, socketPath, folder, shots] = process.argv.slice(2);
const { chromium } = createRequire(join(folder, 'x.js'))('playwright-core');
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] });
const problems = [];
const done = what => console.log(`ok   ${what}`);

function call(method, path, body, type = 'application/json') {
	return new Promise((resolve, reject) => {
		const r = request({ socketPath, method, path, headers: body ? { 'Content-Type': type } : {} }, answer => {
			const pieces = [];
			answer.on('data', piece => pieces.push(piece));
			answer.on('end', () => resolve({ status: answer.statusCode, text: Buffer.concat(pieces).toString() }));
		});
		r.on('error', reject);
		r.end(typeof body === 'object' ? JSON.stringify(body) : body);
	});
}

async function open(width, height, more = {}) {
	const context = await browser.newContext({ viewport: { width, height }, ...more });
	const page = await context.newPage();
	page.setDefaultTimeout(0); // what hangs is ended by test_dashboard.py
	page.on('pageerror', error => problems.push(`error: ${error.message}`));
	page.on('console', message => { if (message.type() === 'error') problems.push(`console: ${message.text()}`); });
	page.on('request', r => { if (!r.url().startsWith(url) && !r.url().startsWith('data:')) problems.push(`a request elsewhere: ${r.url()}`); });
	await page.goto(url);
	await page.locator('#live.on').waitFor();
	return page;
}

async function shot(page, name) {
	if (shots)
		await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

const instance = (page, name) => page.locator('#vm tbody tr', { has: page.getByRole('cell', { name, exact: true }) });

async function follows() {
	const page = await open(1280, 900);
	await page.locator('#vmEmpty').waitFor();
	await page.locator('#about', { hasText: /process, 10\.77\.0\.0\/24/ }).waitFor();
	await page.locator('#pool .card').first().waitFor();
	assert.equal((await call('POST', '/vm/run', { image_name: 'server', name: 'web', wait: 'ready', wait_timeout_ms: 240000, ports: [{ guest: 8000 }] })).status, 201);
	await instance(page, 'web').locator('.badge.good').waitFor();
	assert.match(await instance(page, 'web').textContent(), /server.*10\.77\.0\.\d+.*→8000/s);
	assert.equal((await call('POST', '/vm/run', { image_name: 'fails', name: 'broken', wait: 'none' })).status, 201);
	await instance(page, 'broken').locator('.badge').filter({ hasText: /stopped|crashed|failed/ }).waitFor();
	await page.locator('#event li', { hasText: 'vm.ready' }).first().waitFor();
	await page.locator('#image tbody tr').nth(1).waitFor();
	await page.locator('#vmCount', { hasText: /^1 of 2$/ }).waitFor();
	await shot(page, 'dashboard-1280');
	await page.locator('#all').uncheck();
	await instance(page, 'broken').waitFor({ state: 'detached' });
	assert.equal((await call('DELETE', '/vm/web?force=true')).status, 204);
	await instance(page, 'web').waitFor({ state: 'detached' });
	done('instances, pool, images and events as they happen');
}

// A sentence may hold what people have sent.
async function isText() {
	const page = await open(1280, 900), markup = '<img src=x onerror=alert(1)>';
	assert.equal((await call('POST', '/image/build', `name: x\nprogram: "${markup}"\n`, 'application/yaml')).status, 202);
	await page.locator('#task li', { hasText: markup }).waitFor();
	assert.equal(await page.locator('main img, main script').count(), 0);
	done('what comes from people is text');
}

async function fits() {
	for (const [width, colorScheme] of [[375, 'light'], [768, 'dark'], [1280, 'dark']]) {
		const page = await open(width, 800, { colorScheme });
		await page.locator('#image tbody tr').first().waitFor();
		const wide = await page.evaluate(() => [...document.querySelectorAll('body *:not(.scroll *)')]
			.filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.outerHTML.slice(0, 80)));
		assert.deepEqual(wide, []);
		const nameless = await page.evaluate(() => [...document.querySelectorAll('input, progress, button')]
			.filter(e => e.checkVisibility() && !(e.ariaLabel || e.labels?.length)).map(e => e.outerHTML));
		assert.deepEqual(nameless, []);
		await shot(page, `dashboard-${width}-${colorScheme}`);
	}
	done('narrow and wide, light and dark, nothing sticks out, all controls are named');
}

try {
	await follows();
	await isText();
	await fits();
	assert.deepEqual(problems, []);
} finally {
	await browser.close();
}
