// SPDX-License-Identifier: Apache-2.0
// The page in a real browser: node page.mjs URL FOLDER [SCREENSHOTS]. FOLDER holds the pictures a.png b.jpg broken.png note.txt, and
// node_modules beside it. One line per check; status 1 at the first that fails. Waits are for what happens, never for time.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import assert from 'node:assert/strict';

const [url, folder, shots] = process.argv.slice(2);
const { chromium } = createRequire(join(folder, 'x.js'))('playwright-core');
const file = name => join(folder, name);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] });
const problems = [];

async function open(width, height, more = {}) {
	const context = await browser.newContext({ viewport: { width, height }, ...more });
	const page = await context.newPage();
	page.setDefaultTimeout(0); // what hangs is ended by test_page.py
	page.on('pageerror', error => problems.push(`error: ${error.message}`));
	page.on('console', message => { if (message.type() === 'error') problems.push(`console: ${message.text()}`); });
	page.on('request', request => {
		if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url()))
			problems.push(`a request elsewhere: ${request.url()}`);
	});
	await page.goto(url);
	return page;
}

async function shot(page, name, fullPage = true) {
	if (shots)
		await page.screenshot({ path: join(shots, `${name}.png`), fullPage });
}

const card = (page, name) => page.locator('.card', { has: page.getByRole('heading', { name, exact: true }) });
const reaches = (page, name, state) => card(page, name).and(page.locator(`[data-state=${state}]`)).first().waitFor();
const done = what => console.log(`ok   ${what}`);

async function hasNoOverflow(page) {
	assert.deepEqual(await page.evaluate(() => {
		const width = document.documentElement.clientWidth;
		return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > width + 1).map(e => e.outerHTML.slice(0, 80));
	}), []);
}

// Every control has a name for who does not see it.
async function areNamed(page) {
	const nameless = await page.evaluate(() => [...document.querySelectorAll('button, a[href], input, select, progress, img')]
		.filter(e => e.checkVisibility({ visibilityProperty: true }) && !(e.ariaLabel || e.labels?.length || e.alt || e.textContent.trim() ||
			(e.tagName === 'IMG' && e.hasAttribute('alt'))))
		.map(e => e.outerHTML.slice(0, 80)));
	assert.deepEqual(nameless, []);
}

async function chooseAndCompare() {
	const page = await open(1280, 900);
	await shot(page, 'empty-1280');
	await page.locator('#files').setInputFiles([file('a.png'), file('b.jpg')]);
	await reaches(page, 'a.png', 'finished');
	await reaches(page, 'b.jpg', 'finished');
	await page.getByText('All 2 done.').waitFor();
	done('two chosen files are uploaded and done');
	const sizes = await page.evaluate(() => Promise.all([...document.querySelectorAll('.card img')].map(async image => {
		image.loading = 'eager';
		await image.decode();
		return image.naturalWidth > 0;
	})));
	assert.deepEqual(sizes, [true, true, true, true]);
	done('before and after are shown');
	await card(page, 'a.png').getByRole('button', { name: /Compare/ }).click();
	await page.getByRole('dialog').waitFor();
	await page.getByText('became').waitFor();
	await page.keyboard.press('Home');
	const clip = await page.locator('#after').evaluate(e => getComputedStyle(e).clipPath);
	await page.keyboard.press('End');
	assert.notEqual(await page.locator('#after').evaluate(e => getComputedStyle(e).clipPath), clip);
	await page.locator('#slider').fill('50');
	await shot(page, 'compare-1280', false);
	await page.keyboard.press('Escape');
	await page.getByRole('dialog').waitFor({ state: 'hidden' });
	done('the slider compares, by keyboard too');
	const [download] = await Promise.all([page.waitForEvent('download'), card(page, 'b.jpg').getByText('Download').click()]);
	assert.equal(download.suggestedFilename(), 'b.jpg');
	done('the result is downloaded under its name');
	await page.reload();
	await reaches(page, 'a.png', 'finished');
	done('the list is there after a reload');
	return page;
}

async function dropWithOperation(page) {
	await page.getByRole('radio', { name: /Resize/ }).check({ force: true });
	await page.locator('#files').setInputFiles(file('a.png'));
	assert.equal(await page.locator('input[name=width]').evaluate(e => e.validity.valid), false);
	assert.equal(await page.locator('.card').count(), 2);
	done('a resize without a size is not sent');
	await page.getByLabel('Width').fill('32');
	const data = await page.evaluateHandle(async names => {
		const transfer = new DataTransfer();
		for (const [name, type, bytes] of names)
			transfer.items.add(new File([Uint8Array.from(atob(bytes), c => c.charCodeAt(0))], name, { type }));
		return transfer;
	}, await dropped());
	await page.dispatchEvent('#drop', 'dragover', { dataTransfer: data });
	assert.match(await page.locator('#drop').getAttribute('class'), /over/);
	await page.dispatchEvent('#drop', 'drop', { dataTransfer: data });
	await reaches(page, 'dropped-11.png', 'finished');
	await page.getByText('1 file is neither PNG nor JPEG and left out.').waitFor();
	await page.waitForFunction(() => document.querySelectorAll('.card[data-state=finished]').length === 14);
	const width = await card(page, 'dropped-0.png').locator('img').nth(1).evaluate(async image => {
		image.loading = 'eager';
		await image.decode();
		return image.naturalWidth;
	});
	assert.equal(width, 32);
	done('twelve dropped files are resized, others left out');
}

async function dropped() {
	const { readFile } = await import('node:fs/promises');
	const bytes = (await readFile(file('a.png'))).toString('base64');
	return [...Array(12).keys()].map(i => [`dropped-${i}.png`, 'image/png', bytes]).concat([['note.txt', 'text/plain', 'bm8=']]);
}

async function failAndRetry(page) {
	await page.getByRole('radio', { name: /Invert/ }).check({ force: true });
	await page.locator('#files').setInputFiles(file('broken.png'));
	await reaches(page, 'broken.png', 'dead');
	assert.match(await card(page, 'broken.png').locator('.reason').textContent(), /the picture: .*cut off/);
	await page.getByRole('heading', { name: /Dead letters/ }).waitFor();
	done('a broken picture fails with its reason');
	await shot(page, 'list-1280');
	await page.getByRole('button', { name: 'Failed', exact: false }).click();
	assert.equal(await page.locator('.card:visible').count(), 1);
	await card(page, 'broken.png').evaluate(e => {
		window.states = [];
		new MutationObserver(() => window.states.push(e.dataset.state)).observe(e, { attributeFilter: ['data-state'] });
	});
	const again = page.waitForResponse(r => /\/dead\/\d+\/retry$/.test(r.url()));
	const retry = card(page, 'broken.png').getByRole('button', { name: /Retry/ });
	await retry.focus();
	await page.keyboard.press('Enter');
	assert.equal((await again).status(), 200);
	await page.waitForFunction(() => window.states.includes('ready') && window.states.at(-1) === 'dead'); // again, and not for ever in work
	done('a dead task is tried again');
	await page.getByRole('button', { name: /Delete task/ }).first().click();
	await page.locator('#dead').waitFor({ state: 'hidden' });
	done('a dead letter is deleted');
	await page.getByRole('button', { name: 'All', exact: false }).first().click();
	await page.getByRole('button', { name: 'Clear done' }).click();
	assert.equal(await page.locator('.card').count(), 1);
	done('what is done is cleared');
}

async function small() {
	const page = await open(375, 760, { hasTouch: true, isMobile: true, colorScheme: 'dark' });
	await shot(page, 'empty-375');
	await page.locator('#files').setInputFiles([file('b.jpg'), file('broken.png')]);
	await reaches(page, 'b.jpg', 'finished');
	await reaches(page, 'broken.png', 'dead');
	await hasNoOverflow(page);
	await areNamed(page);
	await shot(page, 'list-375');
	await card(page, 'b.jpg').getByRole('button', { name: /Compare/ }).click();
	await page.getByText('became').waitFor();
	await hasNoOverflow(page);
	await shot(page, 'compare-375', false);
	done('375 pixels: nothing sticks out, everything has a name');
}

// Tab from the top reaches the operations, the files, the first card.
async function byKeyboard(page) {
	await page.locator('h1').click();
	const seen = [];
	for (let i = 0; i < 8; i++) {
		await page.keyboard.press('Tab');
		seen.push(await page.evaluate(() => document.activeElement.name || document.activeElement.tagName));
	}
	for (const name of ['op', 'format', 'image'])
		assert.ok(seen.includes(name), `${name} is not among ${seen}`);
	done('the keyboard reaches everything');
}

let status = 0;
try {
	const page = await chooseAndCompare();
	await byKeyboard(page);
	await dropWithOperation(page);
	await areNamed(page);
	await hasNoOverflow(page);
	await failAndRetry(page);
	await small();
	assert.deepEqual(problems, []);
	done('no errors, no requests elsewhere');
} catch (error) {
	console.log(`FAIL ${error.stack}\n${problems.join('\n')}`);
	status = 1;
}
await Promise.race([browser.close(), sleep(20000)]);
process.exit(status);
