// The workspace that is judged, and the Bolt app in it.
import bolt from '@slack/bolt';
import { World } from './world.js';

const scopes = ['commands', 'chat:write', 'im:write', 'users:read', 'users:read.email', 'channels:read', 'groups:read', 'app_mentions:read',
  'usergroups:read', 'files:write', 'files:read', 'groups:history', 'im:history', 'mpim:write', 'im:read', 'mpim:read'];

export async function found(base) {
  const world = new World(base);
  const team = await world.add('teams', { domain: 'judged', name: 'Judged' });
  const user = (name) => world.add('users', { team_id: team.id, name, email: `${name}@contoso.example` });
  const [requester, approver] = [await user('requester'), await user('approver')];
  const installed = await world.add('apps', {
    name: 'judge', team_id: team.id, scopes, events: ['app_home_opened', 'app_mention', 'message.im'],
    shortcuts: [{ name: 'Ask', type: 'global', callback_id: 'ask-anywhere' }, { name: 'Ask of this', type: 'message', callback_id: 'ask-of-this' }],
    commands: [{ command: '/judge', should_escape: true }],
  });
  const channel = await world.add('channels', {
    team_id: team.id, name: 'judged', is_private: true, members: [requester.id, approver.id, installed.bot_user_id],
  });
  await world.add('channels', { id: 'C0JUDGED', team_id: team.id, name: 'open', members: [installed.bot_user_id] });
  const warnings = [];
  const app = new bolt.App({
    token: installed.bot_token,
    appToken: installed.app_token,
    socketMode: true,
    clientOptions: { slackApiUrl: `${base}/api/` },
    logger: listener(warnings),
  });
  return {
    world, app, warnings, installed, team, channel: channel.id,
    requester: world.person(requester.id), approver: world.person(approver.id),
  };
}

// Collects what Bolt complains of; JUDGE_VERBOSE=1 shows all it says.
function listener(warnings) {
  const note = (...words) => warnings.push(words.map(String).join(' '));
  const quiet = process.env.JUDGE_VERBOSE ? console.error : () => {};
  return { debug: quiet, info: quiet, warn: note, error: note, setLevel() {}, getLevel: () => (process.env.JUDGE_VERBOSE ? 'debug' : 'warn'), setName() {} };
}
