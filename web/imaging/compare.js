// SPDX-License-Identifier: Apache-2.0
// Before and after, one over the other, with a slider between them.
import { describe, pictureUrl } from '/tasks.js';

const $ = id => document.getElementById(id);

export function setUpCompare() {
	const dialog = $('compare'), slider = $('slider');
	const show = () => dialog.style.setProperty('--shown', `${slider.value}%`);
	slider.addEventListener('input', show);
	$('compareClose').addEventListener('click', () => dialog.close());
	dialog.addEventListener('click', event => {
		if (event.target === dialog)
			dialog.close();
	});
	return task => {
		const before = $('before'), after = $('after');
		$('compareTitle').textContent = task.name;
		$('compareMeta').textContent = describe(task.params);
		before.src = task.url || pictureUrl(task, 'input');
		before.alt = `${task.name} as it was`;
		after.src = pictureUrl(task, 'result');
		after.alt = `${task.name}, ${describe(task.params)}`;
		Promise.all([before.decode(), after.decode()]).then(() => {
			$('compareMeta').textContent = `${describe(task.params)}: ${before.naturalWidth} × ${before.naturalHeight} became ` +
				`${after.naturalWidth} × ${after.naturalHeight} pixels`;
		}, () => {});
		slider.value = 50;
		show();
		dialog.showModal();
		slider.focus();
	};
}
