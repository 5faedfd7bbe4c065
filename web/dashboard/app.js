// SPDX-License-Identifier: Apache-2.0
// The dashboard: lists of the manager's API, read anew when its stream of events says that something has changed. What the manager says
// is shown as text and nothing else.
const EVENTS_SHOWN = 100;
const CALM_MS = 100; // many events, one look
const POOL_MS = 2000; // the pool has no events of its own
const AGAIN_MS = 1000;
const $ = id => document.getElementById(id);

function element(name, text = '', className = '') {
	const e = document.createElement(name);
	e.textContent = text;
	e.className = className;
	return e;
}

// --- words ---
const KINDS = { running: 'good', ready: 'good', done: 'good', crashed: 'bad', failed: 'bad', stopped: 'quiet' };
const badge = state => element('span', state, `badge ${KINDS[state] ?? ''}`);

function size(bytes) {
	const units = ['B', 'KiB', 'MiB', 'GiB'];
	let n = bytes, unit = 0;
	for (; n >= 1024 && unit < units.length - 1; unit++)
		n /= 1024;
	return `${unit ? n.toFixed(1) : n} ${units[unit]}`;
}

function age(text) {
	const s = Math.max(0, Math.round((Date.now() - Date.parse(text)) / 1000));
	return s < 120 ? `${s} s` : s < 7200 ? `${Math.floor(s / 60)} min` : s < 172800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} d`;
}

const ports = list => list.map(p => `${p.address === '127.0.0.1' ? '' : `${p.address}:`}${p.host}→${p.guest}${p.protocol === 'udp' ? '/udp' : ''}`).join(' ');

// --- tables ---
// cells: text, or an element; the class "number" is the head's.
function fill(id, rows) {
	const table = $(id), heads = [...table.tHead.rows[0].cells];
	table.tBodies[0].replaceChildren(...rows.flat());
	for (const row of table.tBodies[0].rows) {
		for (const cell of row.cells) {
			if (cell.colSpan === 1 && heads[cell.cellIndex].className)
				cell.classList.add(heads[cell.cellIndex].className);
		}
	}
	table.hidden = !rows.length;
	$(`${id}Empty`).hidden = rows.length > 0;
}

function row(cells) {
	const tr = document.createElement('tr');
	for (const cell of cells) {
		const td = document.createElement('td');
		td.append(cell ?? '–');
		tr.append(td);
	}
	return tr;
}

let instances = [];

function showInstances() {
	const live = instances.filter(vm => !['stopped', 'failed', 'crashed'].includes(vm.state));
	$('vmCount').textContent = `${live.length} of ${instances.length}`;
	fill('vm', ($('all').checked ? instances : live).map(vm => {
		const tr = row([vm.name, badge(vm.state === 'running' && vm.ready ? 'ready' : vm.state), vm.image, vm.ip_address,
			ports(vm.ports) || null, vm.monitor, `${vm.memory_mib} MiB`, vm.start_ms === null ? null : `${vm.start_ms.toFixed(1)} ms`, age(vm.created_at)]);
		tr.title = vm.id;
		if (!vm.reason || vm.state === 'running')
			return [tr];
		const why = document.createElement('tr'), td = element('td', vm.reason, 'reason');
		td.colSpan = 9;
		why.append(td);
		return [tr, why];
	}));
}

function showImages(items) {
	$('imageCount').textContent = items.length;
	fill('image', items.map(image => row([image.name, element('span', image.digest ? image.digest.slice(7, 19) : '–', 'mono'),
		size(image.bytes), `${image.vms}`, age(image.created_at)])));
}

function showPools(items) {
	$('pool').replaceChildren(...items.map(pool => {
		const card = element('div', '', 'card'), bar = document.createElement('progress');
		bar.max = Math.max(1, pool.target);
		bar.value = Math.min(pool.ready, bar.max);
		bar.ariaLabel = `prepared VMs of ${pool.profile}`;
		card.append(element('b', `${pool.profile}: ${pool.ready} of ${pool.target} prepared`), bar,
			element('p', `${pool.monitor}, ${pool.memory_mib} MiB, ${pool.kernel}`),
			element('p', `${pool.hits} taken, ${pool.misses} missed, ${pool.waiting} waiting, ${pool.deaths} died`));
		if (pool.last_error)
			card.append(element('p', pool.last_error, 'error'));
		return card;
	}));
}

function showTasks(items) {
	$('taskSection').hidden = !items.length;
	$('task').replaceChildren(...items.slice(0, 20).map(task => {
		const li = document.createElement('li'), { step, unit, done, total } = task.progress;
		const far = task.state !== 'running' ? task.error?.detail ?? '' : unit && total ? `${step}: ${Math.floor(done * 100 / total)}%` : step;
		li.append(badge(task.state), ` ${task.kind} ${task.subject} `, element('span', far, 'soft'));
		li.title = task.id;
		return li;
	}));
}

function showEvent(event) {
	const li = document.createElement('li'), about = event.vm ?? event.image ?? event.app ?? event.fn ?? event.template ?? event.operation ?? {};
	const time = element('time', new Date(event.time).toLocaleTimeString([], { hour12: false }));
	time.dateTime = event.time;
	li.append(time, element('span', event.type), element('span', [about.name, about.reason].filter(Boolean).join(': '), 'soft'));
	$('event').prepend(li);
	while ($('event').children.length > EVENTS_SHOWN)
		$('event').lastChild.remove();
}

// --- the manager ---
async function get(path) {
	const answer = await fetch(path, { headers: { Accept: 'application/json' } });
	if (!answer.ok)
		throw new Error(`${path}: ${answer.status}`);
	return answer.json();
}

async function getAll(path) {
	const items = [];
	for (let page = await get(path); ; page = await get(`${path}?cursor=${encodeURIComponent(page.next_cursor)}`)) {
		items.push(...page.items);
		if (!page.next_cursor)
			return items;
	}
}

const lists = {
	vm: async () => { instances = await getAll('/vm'); showInstances(); },
	image: async () => showImages(await getAll('/image')),
	pool: async () => showPools(await getAll('/pool')),
	operation: async () => showTasks(await getAll('/operation')),
};
const wanted = new Set();
let looking = false;

function show(state, text) {
	$('live').className = state;
	$('liveText').textContent = text;
}

// One list after the other, each once however often it was wanted; what fails is wanted again.
async function look() {
	if (looking)
		return;
	looking = true;
	for (const name of wanted) { // those too that are wanted meanwhile
		wanted.delete(name);
		try {
			await lists[name]();
		} catch {
			setTimeout(want, AGAIN_MS, name);
		}
	}
	looking = false;
}

function want(...names) {
	for (const name of names)
		wanted.add(name);
	setTimeout(look, CALM_MS);
}

function hear(event) {
	const kind = event.type.split('.')[0];
	showEvent(event);
	want(...(kind === 'vm' ? ['vm', 'pool', 'image'] : kind in lists ? [kind] : []));
}

async function about() {
	const info = await get('/info');
	$('about').textContent = `${info.version}, ${info.monitor}, ${info.subnet}${info.netns ? `, namespace ${info.netns}` : ''}`;
}

function begin() {
	const stream = new EventSource('/events?since=0');
	stream.onopen = () => { show('on', 'live'); want(...Object.keys(lists)); about().catch(() => {}); };
	stream.onmessage = message => hear(JSON.parse(message.data));
	stream.addEventListener('gap', () => want(...Object.keys(lists)));
	stream.onerror = () => {
		show('off', 'the manager does not answer');
		if (stream.readyState === EventSource.CLOSED)
			setTimeout(begin, AGAIN_MS);
	};
}

$('all').addEventListener('change', showInstances);
setInterval(() => { if (!document.hidden) { want('pool'); showInstances(); } }, POOL_MS);
begin();
