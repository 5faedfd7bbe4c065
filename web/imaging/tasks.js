// SPDX-License-Identifier: Apache-2.0
// The list of this browser's pictures: what is known of each, and its card. A task is {key, id, name, op, state, ...}; id is null until the
// upload is through. Kept in localStorage without the pictures, which the server has.

const KEEP = 200;
const STORE = 'imaging-tasks';
const WORDS = {
	queued: 'Waiting to upload', uploading: 'Uploading', created: 'Preparing', ready: 'Waiting', delayed: 'Will be tried again',
	leased: 'In work', finished: 'Done', dead: 'Failed', refused: 'Refused', gone: 'Gone',
};
const GROUP = { finished: 'done', dead: 'failed', refused: 'failed', gone: 'failed' };

export const groupOf = task => GROUP[task.state] || 'busy';
export const pictureUrl = (task, kind) => `/picture?taskId=${task.id}&kind=${kind}`;

export function describe(params) {
	const p = new URLSearchParams(params);
	const op = p.get('op') || 'invert';
	const more = {
		resize: `to ${p.get('width') || 'auto'} × ${p.get('height') || 'auto'}`,
		blur: `radius ${p.get('radius') || 4}`,
		thumbnail: `${p.get('size') || 200} px`,
	}[op];
	const format = p.get('format');
	return op[0].toUpperCase() + op.slice(1) + (more ? ' ' + more : '') + (format ? `, as ${format.toUpperCase()}` : '');
}

export class TaskList {
	constructor(list, template, actions) {
		this.list = list;
		this.template = template;
		this.actions = actions; // {compare, retry, again, remove} of a task
		this.tasks = new Map();
		this.filter = 'all';
	}

	restore() {
		let saved = [];
		try {
			saved = JSON.parse(localStorage.getItem(STORE)) || [];
		} catch {
			// no storage, or not ours: begin anew
		}
		for (const t of saved.reverse()) {
			if (Number.isInteger(t.id) && typeof t.params === 'string')
				this.add({ id: t.id, name: String(t.name), params: t.params, state: String(t.state) });
		}
	}

	save() {
		const plain = [...this.tasks.values()].reverse().filter(t => t.id !== null).slice(0, KEEP)
			.map(({ id, name, params, state }) => ({ id, name, params, state }));
		try {
			localStorage.setItem(STORE, JSON.stringify(plain));
		} catch {
			// full or forbidden: the list lives as long as the page
		}
	}

	add(task) {
		const card = this.template.content.firstElementChild.cloneNode(true);
		Object.assign(task, { card, key: crypto.randomUUID?.() ?? String(Math.random()), progress: task.progress ?? 0 });
		card.querySelector('h3').textContent = task.name;
		card.querySelector('h3').title = task.name;
		card.querySelector('.what').textContent = describe(task.params);
		this.tasks.set(task.key, task);
		this.list.prepend(card);
		this.show(task);
		return task;
	}

	change(task, values) {
		const before = task.state;
		Object.assign(task, values);
		this.show(task, before);
	}

	remove(task) {
		task.card.remove();
		this.tasks.delete(task.key);
		if (task.url)
			URL.revokeObjectURL(task.url);
		this.save();
	}

	byId(id) {
		return [...this.tasks.values()].find(t => t.id === id);
	}

	count(group) {
		return [...this.tasks.values()].filter(t => group === 'all' || groupOf(t) === group).length;
	}

	setFilter(filter) {
		this.filter = filter;
		for (const task of this.tasks.values())
			task.card.hidden = filter !== 'all' && groupOf(task) !== filter;
	}

	show(task) {
		const { card } = task, group = groupOf(task);
		const [before, after] = card.querySelectorAll('img'), bar = card.querySelector('.state progress');
		const reason = card.querySelector('.reason'), badge = card.querySelector('.badge');

		card.className = `card ${group}`;
		card.dataset.state = task.state;
		card.hidden = this.filter !== 'all' && group !== this.filter;
		const word = WORDS[task.state] || task.state;
		if (badge.textContent !== word)
			badge.textContent = word;
		bar.hidden = task.state !== 'uploading';
		bar.value = task.progress;
		bar.setAttribute('aria-label', `Upload of ${task.name}`);
		reason.hidden = !task.reason || group === 'done';
		reason.textContent = task.reason || '';
		if (!before.getAttribute('src') && (task.url || task.id !== null) && task.state !== 'gone') {
			before.alt = `${task.name} as it was`;
			before.src = task.url || pictureUrl(task, 'input');
		}
		const done = task.state === 'finished';
		if (done && after.hidden) {
			after.alt = `${task.name}, ${describe(task.params)}`;
			after.src = pictureUrl(task, 'result');
		}
		after.hidden = !done;
		card.querySelector('.wait').hidden = done;
		this.showActions(task, card.querySelector('.actions'));
	}

	showActions(task, box) {
		const wanted = { finished: ['compare', 'download', 'remove'], dead: ['retry', 'remove'], refused: ['again', 'remove'],
			gone: ['remove'] }[task.state] || [];
		if (box.dataset.shown === wanted.join())
			return;
		const focused = box.contains(document.activeElement);
		box.dataset.shown = wanted.join();
		box.replaceChildren(...wanted.map(name => this.button(task, name)));
		if (focused)
			box.querySelector('button, a')?.focus();
	}

	button(task, name) {
		const text = { compare: 'Compare', download: 'Download', remove: 'Remove', retry: 'Retry', again: 'Upload again' }[name];
		const b = document.createElement(name === 'download' ? 'a' : 'button');
		b.textContent = text;
		b.setAttribute('aria-label', `${text}: ${task.name}`);
		b.className = name === 'remove' || name === 'download' ? 'button quiet' : 'button';
		if (name === 'download') {
			b.href = pictureUrl(task, 'result');
			b.download = task.name;
		} else {
			b.type = 'button';
			b.addEventListener('click', () => this.actions[name](task));
		}
		return b;
	}
}
