// Modals: opened, updated, pushed, refused, submitted; external selects.
import assert from 'node:assert/strict';

const plain = (text) => ({ type: 'plain_text', text });
const form = (title) => ({
  type: 'modal', callback_id: 'form', title: plain(title), submit: plain('Send'), notify_on_close: true,
  blocks: [
    { type: 'input', block_id: 'reason', label: plain('Reason'), element: { type: 'plain_text_input', action_id: 'v' } },
    { type: 'input', block_id: 'group', label: plain('Group'), optional: true, element: { type: 'external_select', action_id: 'pick', min_query_length: 1 } },
  ],
});

export async function modals({ app, requester, channel }, check) {
  const closed = [];
  const used = [];
  app.shortcut({ callback_id: 'ask-anywhere', type: 'shortcut' }, async ({ ack, shortcut, client }) => {
    await ack();
    used.push(shortcut.user.id);
    await client.views.open({ trigger_id: shortcut.trigger_id, view: form('Anywhere') });
  });
  app.shortcut({ callback_id: 'ask-of-this', type: 'message_action' }, async ({ ack, shortcut, respond }) => {
    await ack();
    await respond({ text: `of ${shortcut.message.text}`, response_type: 'ephemeral' });
  });
  app.action('ask', async ({ ack, body, client }) => {
    await ack();
    const { view } = await client.views.open({ trigger_id: body.trigger_id, view: { type: 'modal', title: plain('Loading'), blocks: [{ type: 'section', text: plain('…') }] } });
    await client.views.update({ view_id: view.id, hash: view.hash, view: form('Ask') });
  });
  app.options('pick', async ({ ack, options }) => ack({ options: [{ text: plain(`${options.value}-admin`), value: options.value }] }));
  app.view('form', async ({ ack, view }) => {
    const { value } = view.state.values.reason.v;
    switch (value) {
      case 'short': return ack({ response_action: 'errors', errors: { reason: 'Say more' } });
      case 'next': return ack({ response_action: 'update', view: form('Next') });
      case 'deeper': return ack({ response_action: 'push', view: form('Deeper') });
      case 'enough': return ack({ response_action: 'clear' });
      default: return ack();
    }
  });
  app.view({ callback_id: 'form', type: 'view_closed' }, async ({ ack, body }) => {
    closed.push(body.is_cleared);
    await ack();
  });

  const { ts } = await app.client.chat.postMessage({ channel, text: 'form', blocks: [{
    type: 'actions', elements: [{ type: 'button', action_id: 'ask', text: plain('Ask') }],
  }] });
  async function open() {
    await requester.does('act', { channel, ts, action: 'ask' });
    for (;;) {
      const [view] = await requester.views();
      if (view?.title === 'Ask') return view;
    }
  }
  const submit = (view, reason) => requester.does('submit', { view: view.id, values: { reason } });

  await check('opens a modal and updates it with its hash', async () => {
    assert.match((await open()).shown, /Reason: ____/);
  });
  await check('offers the options of an external select', async () => {
    const [view] = await requester.views();
    const options = await requester.does('suggest', { view: view.id, action: 'pick', text: 'db' });
    assert.equal(options[0].text.text, 'db-admin');
  });
  await check('answers a submission with errors, an update, a push, and an end', async () => {
    const [view] = await requester.views();
    assert.deepEqual((await submit(view, 'short')).errors, { reason: 'Say more' });
    assert.equal((await submit(view, 'next')).view.title, 'Next');
    const pushed = (await submit(view, 'deeper')).view;
    assert.equal(pushed.title, 'Deeper');
    assert.equal(pushed.previous_view_id, view.id);
    await submit(pushed, 'enough');
    assert.deepEqual(await requester.views(0), []);
  });
  await check('takes a plain submission, and hears of a closed modal', async () => {
    await submit(await open(), 'because');
    assert.deepEqual(await requester.views(0), []);
    await requester.does('dismiss', { view: (await open()).id, all: true });
    assert.deepEqual(closed, [true]);
  });
  await check('hears shortcuts, anywhere and of a message', async () => {
    await requester.does('shortcut', { callback_id: 'ask-anywhere' });
    const [view] = await requester.views();
    assert.deepEqual([used, view.title], [[requester.id], 'Anywhere']);
    await requester.does('dismiss', { view: view.id });
    await requester.does('shortcut', { callback_id: 'ask-of-this', channel, ts });
    assert.equal((await requester.sees(channel, 'of form')).length, 1);
  });
  await check('cannot open a modal with a used trigger', async () => {
    let refused;
    app.action('twice', async ({ ack, body, client }) => {
      await ack();
      await client.views.open({ trigger_id: body.trigger_id, view: form('Once') });
      refused = client.views.open({ trigger_id: body.trigger_id, view: form('Twice') });
      await refused.catch(() => {});
    });
    const card = await app.client.chat.postMessage({ channel: requester.id, text: 'twice', blocks: [{
      type: 'actions', elements: [{ type: 'button', action_id: 'twice', text: plain('Twice') }],
    }] });
    await requester.does('act', { channel: card.channel, ts: card.ts, action: 'twice' });
    const [view] = await requester.views();
    assert.equal(view.title, 'Once');
    await assert.rejects(refused, (err) => err.data.error === 'exchanged_trigger_id');
  });
}
