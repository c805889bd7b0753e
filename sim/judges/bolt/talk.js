// Commands, response URLs, buttons, events, the Home tab.
import assert from 'node:assert/strict';

export async function talk({ app, requester, approver, channel, installed }, check) {
  let respond;
  app.command('/judge', async ({ command, ack, respond: r }) => {
    respond = r;
    await ack({ response_type: command.text === 'aloud' ? 'in_channel' : 'ephemeral', text: `heard ${command.text}` });
  });
  app.action('approve', async ({ ack, respond: r, body, action }) => {
    await ack();
    await r({ replace_original: true, text: `decided by <@${body.user.id}>: ${action.value}` });
  });
  app.event('app_mention', async ({ event, say }) => say({ thread_ts: event.ts, text: `you said: ${event.text}` }));
  app.event('app_home_opened', async ({ event, client }) => client.views.publish({
    user_id: event.user,
    view: { type: 'home', blocks: [{ type: 'section', text: { type: 'mrkdwn', text: 'Welcome home' } }] },
  }));

  await check('acks a command with a message for one person', async () => {
    const reply = await requester.does('command', { channel, text: '/judge me @approver' });
    assert.equal(reply.message.text, `heard me <@${approver.id}>`);
    assert.equal((await approver.sees(channel, '')).length, 0);
  });
  await check('answers a command for all', async () => {
    await requester.does('command', { channel, text: '/judge aloud' });
    const seen = await approver.sees(channel, '');
    assert.deepEqual(seen.map((m) => m.text), ['/judge aloud', 'heard aloud']);
  });
  await check('says five messages by response_url, not six', async () => {
    await requester.does('command', { channel, text: '/judge again' });
    for (let i = 1; i <= 5; i += 1) await respond(`message ${i}`);
    await assert.rejects(respond('message 6'));
    assert.equal((await requester.sees(channel, 'message ')).length, 5);
  });
  await check('answers a button and replaces its card', async () => {
    const { ts } = await app.client.chat.postMessage({ channel, text: 'card', blocks: [{
      type: 'actions', elements: [{ type: 'button', action_id: 'approve', value: 'id-1', text: { type: 'plain_text', text: 'Approve' } }],
    }] });
    await approver.does('act', { channel, ts, action: 'approve' });
    const [card] = await requester.sees(channel, 'decided by');
    assert.equal(card.ts, ts);
    assert.equal(card.shown, 'decided by @approver: id-1');
  });
  await check('hears a mention and answers in its thread', async () => {
    const said = await requester.does('say', { channel, text: `<@${installed.bot_user_id}> status` });
    const [answer] = await requester.sees(channel, 'you said');
    assert.equal(answer.thread_ts, said.ts);
  });
  await check('hears a message in its DM', async () => {
    app.message('direct', async ({ message, say }) => say(`heard ${message.text} in a ${message.channel_type}`));
    const { channel: dm } = await app.client.conversations.open({ users: requester.id });
    await requester.does('say', { channel: dm.id, text: 'something direct' });
    assert.equal((await requester.sees(dm.id, 'heard something direct in a im')).length, 1);
  });
  await check('publishes the Home tab when it is opened', async () => {
    await requester.does('home', { app: installed.id });
    assert.equal((await requester.home(installed.id)).shown, 'Welcome home');
  });
  await check('leaves an unknown button unanswered, and the person waiting', async () => {
    const { ts, channel: direct } = await app.client.chat.postMessage({ channel: requester.id, text: 'card', blocks: [{
      type: 'actions', elements: [{ type: 'button', action_id: 'unheard', text: { type: 'plain_text', text: 'Hello?' } }],
    }] });
    const reply = await requester.does('act', { channel: direct, ts, action: 'unheard' });
    assert.equal(reply.error, 'operation_timeout');
  });
}
