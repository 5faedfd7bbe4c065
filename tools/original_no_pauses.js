// SPDX-License-Identifier: Apache-2.0
// Loaded before a program of the original application (NODE_OPTIONS=--require=...): its pause of one second after a task and
// before it tries again becomes 1 ms, that of five seconds when there is nothing to do 20 ms (less would be a load of its own). Its
// other times stay.
'use strict';
const wait = global.setTimeout;

global.setTimeout = (fn, ms, ...args) => wait(fn, {1000: 1, 5000: 20}[ms] ?? ms, ...args);
// What promisify() finds on the function itself.
Object.defineProperties(global.setTimeout, Object.getOwnPropertyDescriptors(wait));
