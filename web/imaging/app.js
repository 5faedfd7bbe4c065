// SPDX-License-Identifier: Apache-2.0
// The page: files come in by choice, drop or paste, are uploaded a few at a time, and followed through one stream of events.
import { setUpCompare } from '/compare.js';
import { TaskList, groupOf } from '/tasks.js';

const UPLOADS = 3;
const TRIES = 5;
const WATCHED = 100; // ids of one stream; the server's limit
const $ = id => document.getElementById(id);
const form = $('form'), drop = $('drop'), files = $('files');
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

const compare = setUpCompare();
const list = new TaskList($('list'), $('card'), {
	compare,
	retry: task => retryDead(task.id),
	again: task => { list.change(task, { state: 'queued', reason: '' }); pump(); summary(); },
	remove: task => { list.remove(task); summary(); },
});

// --- what is asked for ---
function params() {
	const data = new FormData(form), op = data.get('op'), p = new URLSearchParams();
	if (op !== 'invert')
		p.set('op', op);
	for (const label of document.querySelectorAll(`[data-for="${op}"]`)) {
		const input = label.querySelector('input');
		if (input.value)
			p.set(input.name, input.value);
	}
	if (data.get('format'))
		p.set('format', data.get('format'));
	return p.toString();
}

// Whether the fields say something that can be done; else the browser points at the one that does not.
function valid() {
	const op = form.elements.op.value, { width, height } = form.elements;
	width.setCustomValidity(op === 'resize' && !width.value && !height.value ? 'Give a width, a height, or both.' : '');
	for (const label of document.querySelectorAll('[data-for]')) {
		if (label.dataset.for === op && !label.querySelector('input').reportValidity())
			return false;
	}
	return true;
}

function showOptions() {
	const op = form.elements.op.value;
	for (const label of document.querySelectorAll('[data-for]'))
		label.hidden = label.dataset.for !== op;
	form.elements.radiusText.value = `${form.elements.radius.value} px`;
	form.elements.width.setCustomValidity('');
}

// --- uploads ---
let running = 0;

function take(chosen) {
	const good = [...chosen].filter(file => file.type === 'image/png' || file.type === 'image/jpeg');
	const others = chosen.length - good.length;
	if (good.length && !valid())
		return;
	for (const file of good)
		list.add({ id: null, name: file.name, params: params(), state: 'queued', file, url: URL.createObjectURL(file) });
	summary(others ? `${others} ${others === 1 ? 'file is' : 'files are'} neither PNG nor JPEG and left out.` : '');
	pump();
}

function pump() {
	for (const task of list.tasks.values()) {
		if (running >= UPLOADS)
			return;
		if (task.state !== 'queued')
			continue;
		running++;
		list.change(task, { state: 'uploading', progress: 0 });
		upload(task).catch(error => list.change(task, { state: 'refused', reason: error.message })).finally(() => {
			running--;
			summary();
			pump();
		});
	}
}

// One request; resolves to {status, text, id, wait}.
function send(task) {
	return new Promise((resolve, reject) => {
		const request = new XMLHttpRequest(), body = new FormData();
		body.append('image', task.file, task.file.name);
		request.open('POST', '/upload' + (task.params ? '?' + task.params : ''));
		request.upload.onprogress = event => {
			if (event.lengthComputable)
				list.change(task, { progress: event.loaded / event.total });
		};
		request.onload = () => resolve({ status: request.status, text: request.responseText,
			id: request.getResponseHeader('X-Task-Id'), wait: Number(request.getResponseHeader('Retry-After')) });
		request.onerror = () => reject(new Error('The connection broke off.'));
		request.send(body);
	});
}

async function upload(task) {
	for (let i = 1; ; i++) {
		const answer = await send(task);
		if (answer.status === 200 && answer.id !== null) {
			task.file = null;
			list.change(task, { id: Number(answer.id), state: 'ready' });
			list.save();
			watch();
			return;
		}
		if (answer.status !== 503 || i === TRIES)
			throw new Error(answer.text.slice(0, 200) || `The upload failed (${answer.status}).`);
		await sleep(1000 * Math.max(1, answer.wait || 0) * i);
	}
}

// --- progress ---
let stream = null, watched = '';

// Follows what is not yet done, in one stream; a new one when there is more to follow.
function watch() {
	const ids = [...list.tasks.values()].filter(t => t.id !== null && groupOf(t) === 'busy').map(t => t.id)
		.sort((a, b) => a - b).slice(0, WATCHED).join();
	if (ids === watched && (stream || !ids))
		return;
	stream?.close();
	stream = null;
	watched = ids;
	if (!ids)
		return;
	stream = new EventSource(`/events?ids=${ids}`);
	stream.onmessage = event => update(JSON.parse(event.data).tasks, ids);
	stream.onerror = () => {
		if (stream?.readyState === EventSource.CLOSED) { // refused: the browser does not try again by itself
			stream = null;
			setTimeout(watch, 3000);
		}
	};
	stream.addEventListener('end', () => { stream?.close(); stream = null; watch(); });
}

function update(tasks, ids) {
	let failed = false;
	const left = new Set(ids.split(',').map(Number));
	for (const { id, state, reason } of tasks) {
		const task = list.byId(id);
		left.delete(id);
		if (!task || task.state === state)
			continue;
		failed ||= state === 'dead';
		list.change(task, { state, reason: state === 'dead' || state === 'delayed' ? reason : '' });
	}
	for (const id of left) {
		const task = list.byId(id);
		if (task)
			list.change(task, { state: 'gone', reason: 'The queue does not know this task any more.' });
	}
	list.save();
	summary();
	if (failed)
		loadDead();
}

let note = ''; // said until the next files come

function summary(say = note) {
	note = say;
	const all = list.count('all'), done = list.count('done'), failed = list.count('failed'), busy = all - done - failed;
	$('tasks').hidden = all === 0 && !note;
	for (const button of document.querySelectorAll('[data-filter]'))
		button.querySelector('span').textContent = list.count(button.dataset.filter);
	$('total').max = all || 1;
	$('total').value = done + failed;
	$('clear').disabled = done === 0;
	const end = failed ? `${done} done, ${failed} failed.` : `All ${all} done.`;
	const text = [note, all && (busy ? `${done + failed} of ${all} through.` : end)]
		.filter(Boolean).join(' ');
	if ($('status').textContent !== text)
		$('status').textContent = text;
}

// --- dead letters ---
let deadAsked = 0;

// Answers may overtake each other: what counts is the last question's.
async function loadDead() {
	const number = ++deadAsked, answer = await fetch('/dead');
	if (!answer.ok)
		return;
	const { tasks, total } = await answer.json();
	if (number !== deadAsked)
		return;
	$('dead').hidden = total === 0;
	$('deadCount').textContent = total;
	$('deadList').replaceChildren(...tasks.map(deadItem));
}

function deadItem(dead) {
	const item = document.createElement('li'), text = document.createElement('div'), actions = document.createElement('div');
	const title = document.createElement('strong'), reason = document.createElement('p');
	title.textContent = `Task ${dead.id}`;
	reason.className = 'reason';
	reason.textContent = `${dead.reason} (${dead.attempts} ${dead.attempts === 1 ? 'attempt' : 'attempts'})`;
	text.append(title, reason);
	actions.className = 'actions';
	for (const [name, act, kind] of [['Retry', () => retryDead(dead.id), ''], ['Delete', () => deleteDead(dead.id), 'quiet']]) {
		const button = document.createElement('button');
		button.type = 'button';
		button.textContent = name;
		button.className = kind;
		button.setAttribute('aria-label', `${name} task ${dead.id}`);
		button.addEventListener('click', act);
		actions.append(button);
	}
	item.append(text, actions);
	return item;
}

function retrying(ids) {
	for (const id of ids) {
		const task = list.byId(id);
		if (task)
			list.change(task, { state: 'ready', reason: '' });
	}
	list.save();
	summary();
	watch();
}

async function act(url, method, done) {
	const answer = await fetch(url, { method }).catch(() => null);
	if (answer?.ok)
		done();
	else
		summary(answer ? `That was refused (${answer.status}).` : 'The connection broke off.');
	await loadDead();
}

const retryDead = id => act(`/dead/${id}/retry`, 'POST', () => retrying([id]));
const deleteDead = id => act(`/dead/${id}`, 'DELETE', () => {
	const task = list.byId(id);
	if (task)
		list.change(task, { state: 'gone', reason: 'The task was deleted.' });
	list.save();
	summary();
});
const retryAll = () => act('/dead/retry', 'POST', () =>
	retrying([...list.tasks.values()].filter(t => t.state === 'dead').map(t => t.id)));

// --- wiring ---
form.addEventListener('input', showOptions);
form.addEventListener('submit', event => event.preventDefault());
files.addEventListener('change', () => { take(files.files); files.value = ''; });
for (const name of ['dragenter', 'dragover'])
	document.addEventListener(name, event => { event.preventDefault(); drop.classList.add('over'); });
document.addEventListener('dragleave', event => { if (!event.relatedTarget) drop.classList.remove('over'); });
document.addEventListener('drop', event => {
	event.preventDefault();
	drop.classList.remove('over');
	take(event.dataTransfer.files);
});
document.addEventListener('paste', event => { if (event.clipboardData.files.length) take(event.clipboardData.files); });
for (const button of document.querySelectorAll('[data-filter]')) {
	button.addEventListener('click', () => {
		for (const other of document.querySelectorAll('[data-filter]'))
			other.setAttribute('aria-pressed', String(other === button));
		list.setFilter(button.dataset.filter);
	});
}
$('clear').addEventListener('click', () => {
	for (const task of [...list.tasks.values()].filter(t => groupOf(t) === 'done'))
		list.remove(task);
	summary();
});
$('retryAll').addEventListener('click', retryAll);

showOptions();
list.restore();
summary();
watch();
loadDead();
