// SPDX-License-Identifier: Apache-2.0
// Loaded before a program of the original application (NODE_OPTIONS=--require=...): its pauses of one second after a task and
// before it tries again, and of five seconds when there is nothing to do, become 2 ms. Its other times stay.
'use strict';
const wait = global.setTimeout;

global.setTimeout = (fn, ms, ...args) => wait(fn, ms === 1000 || ms === 5000 ? 2 : ms, ...args);
// What promisify() finds on the function itself.
Object.defineProperties(global.setTimeout, Object.getOwnPropertyDescriptors(wait));
