// Bolt JS, unmodified, judges a simulated Slack: node judge.js http://127.0.0.1:PORT
//
// It founds a workspace of its own over /manage/, so that any served world will
// do (pagbot demo --worlds-only --json prints one as .urls.slack). One line for
// each thing judged; exits with 1 at the first that is wrong, or if Bolt warned
// of anything.
import assert from 'node:assert/strict';
import { found } from './company.js';
import { talk } from './talk.js';
import { modals } from './modals.js';
import { web } from './web.js';
import { sockets } from './sockets.js';

const base = process.argv[2];
if (!base) {
  console.error('usage: node judge.js BASE-URL-OF-A-SIMULATED-SLACK');
  process.exit(2);
}
setTimeout(() => fail('everything', new Error('not done after 60 s')), 60_000).unref();

const began = Date.now();
let judged = 0;

async function check(what, how) {
  try {
    await how();
    judged += 1;
    console.log(`ok   ${what}`);
  } catch (err) {
    fail(what, err);
  }
}

function fail(what, err) {
  console.error(`FAIL ${what}\n${err.stack}`);
  process.exit(1);
}

const company = await found(base);
await check('starts in socket mode', () => company.app.start());
for (const chapter of [talk, modals, web, sockets]) await chapter(company, check);
await check('and Bolt had nothing to warn of', () => assert.deepEqual(company.warnings, []));
await company.app.stop();
console.log(`${judged} judged by Bolt in ${((Date.now() - began) / 1000).toFixed(1)} s`);
process.exit(0);
