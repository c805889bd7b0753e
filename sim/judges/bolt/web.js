// The Web API as Slack's own client for Node reads it.
import assert from 'node:assert/strict';

export async function web({ world, app, requester, approver, channel, installed, team, warnings }, check) {
  const { client } = app;

  await check('knows itself, its people and its channel', async () => {
    assert.equal((await client.auth.test()).team_id, team.id);
    const { user } = await client.users.info({ user: requester.id });
    assert.equal(user.profile.email, 'requester@contoso.example');
    assert.equal((await client.conversations.info({ channel })).channel.is_private, true);
  });
  await check('pages through the members', async () => {
    const members = [];
    for await (const page of client.paginate('conversations.members', { channel, limit: 1 })) members.push(...page.members);
    assert.ok(members.includes(requester.id) && members.includes(installed.bot_user_id) && members.length === 3);
  });
  await check('pages through people, conversations and what was said', async () => {
    const all = { members: [], channels: [], messages: [] };
    const read = async (method, args, name) => {
      for await (const page of client.paginate(method, args)) all[name].push(...page[name]);
    };
    await read('users.list', { limit: 2 }, 'members');
    await read('conversations.list', { limit: 1, types: 'private_channel,im' }, 'channels');
    await read('conversations.history', { channel, limit: 2 }, 'messages');
    assert.ok(all.members.some((u) => u.id === approver.id) && all.channels.some((c) => c.id === channel) && all.channels.some((c) => c.is_im));
    assert.ok(all.messages.some((m) => m.text === 'form') && all.messages.every((m, i) => i === 0 || m.ts < all.messages[i - 1].ts));
  });
  await check('knows user groups', async () => {
    const group = await world.add('usergroups', { team_id: team.id, name: 'on-call', users: [approver.id] });
    assert.deepEqual((await client.usergroups.users.list({ usergroup: group.id })).users, [approver.id]);
  });
  await check('opens a group DM', async () => {
    const { channel: group } = await client.conversations.open({ users: `${requester.id},${approver.id}`, return_im: true });
    assert.equal(group.is_mpim, true);
    await client.chat.postMessage({ channel: group.id, text: 'to both' });
    assert.equal((await approver.sees(group.id, 'to both')).length, 1);
  });
  await check('uploads a picture and shows it in a block', async () => {
    const picture = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
    const done = await client.files.uploadV2({ channel_id: channel, filename: 'dot.png', file: picture, initial_comment: 'a dot', alt_text: 'dot' });
    const [{ id }] = done.files[0].files;
    const [said] = await requester.sees(channel, 'a dot');
    assert.equal(said.files[0].id, id);
    await client.chat.postMessage({ channel, text: 'picture', blocks: [{ type: 'image', slack_file: { id }, alt_text: 'dot' }] });
    await assert.rejects(client.apiCall('files.upload', { channels: channel, content: 'x' }), (err) => err.data.error === 'method_deprecated');
    warnings.length = 0;
  });
  await check('hears refusals by their names', async () => {
    await assert.rejects(client.chat.postMessage({ channel: 'C0NOWHERE', text: 'x' }), (err) => err.data.error === 'channel_not_found');
    await assert.rejects(client.conversations.history({ channel: 'C0JUDGED' }), (err) => err.data.error === 'missing_scope' && err.data.needed === 'channels:history');
    await assert.rejects(client.chat.postMessage({ channel, text: 'x', blocks: [{ type: 'section' }] }), (err) => err.data.error === 'invalid_blocks');
    warnings.length = 0; // the client logs what it throws
  });
  await check('waits out a 429', async () => {
    for (let i = 0; i < 4; i += 1) await client.chat.postMessage({ channel: requester.id, text: `fast ${i}` });
    assert.ok(warnings.splice(0).every((w) => /rate|retry/i.test(w)));
  });
  await check('updates and deletes its own message', async () => {
    const { ts } = await client.chat.postMessage({ channel, text: 'first' });
    await client.chat.update({ channel, ts, text: 'second' });
    assert.equal((await requester.sees(channel, 'second')).length, 1);
    await client.chat.delete({ channel, ts });
    await assert.rejects(client.chat.update({ channel, ts, text: 'third' }), (err) => err.data.error === 'message_not_found');
  });
}
