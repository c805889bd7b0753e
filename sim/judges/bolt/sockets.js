// What the sockets do to Bolt: it must come back from every end.
import assert from 'node:assert/strict';

export async function sockets({ world, requester, channel, installed, warnings }, check) {
  const ours = async () => (await world.ask('GET', 'sockets')).filter((s) => s.app === installed.id && !s.leaving);
  async function reconnected(before) {
    for (let i = 0; i < 150; i += 1) {
      if ((await ours()).some((s) => s.id > before.id)) return;
      await new Promise((done) => { setTimeout(done, 100); });
    }
    throw new Error('Bolt did not come back within 15 s');
  }
  async function survives(deed, how) {
    const [before] = await ours();
    await world.ask('POST', `sockets/${deed}`, { id: before.id, ...how });
    await reconnected(before);
    const reply = await requester.does('command', { channel, text: '/judge still there' });
    assert.equal(reply.message.text, 'heard still there');
    warnings.length = 0; // a lost socket may be warned of
  }
  await check('survives a refresh: warning, refresh_requested, close', () => survives('refresh'));
  await check('survives refresh_requested without a warning', () => survives('disconnect', { reason: 'refresh_requested' }));
}
