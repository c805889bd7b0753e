// What an app says to Slack and what Slack says to an app, in Slack's own types.
// generate.mjs adds the answers of the Web API methods that the simulator serves.
import type {
  BlockAction, BlockSuggestion, EnvelopedEvent, GlobalShortcut, MessageShortcut, SlashCommand, ViewClosedAction, ViewOutput, ViewResponseAction, ViewSubmitAction,
} from '@slack/bolt';
import type {
  AppHomeOpenedEvent, AppMentionEvent, AppRateLimitedEvent, ChannelIDChangedEvent, GenericMessageEvent, HomeView, KnownBlock, MessageAttachment, ModalView,
} from '@slack/types';
import type { ConversationsHistoryResponse, ConversationsInfoResponse, WebAPICallResult } from '@slack/web-api';

export interface Said {
  blocks: KnownBlock[];
  attachments: MessageAttachment[];
  home: HomeView;
  modal: ModalView;
  submitted: ViewResponseAction;
}

export interface Heard {
  slash_commands: SlashCommand;
  block_actions: BlockAction;
  block_suggestion: BlockSuggestion;
  view_submission: ViewSubmitAction;
  view_closed: ViewClosedAction;
  view: ViewOutput;
  shortcut: GlobalShortcut;
  message_action: MessageShortcut;
  app_home_opened: EnvelopedEvent<AppHomeOpenedEvent>;
  app_mention: EnvelopedEvent<AppMentionEvent>;
  channel_id_changed: EnvelopedEvent<ChannelIDChangedEvent>;
  message: EnvelopedEvent<GenericMessageEvent>;
  app_rate_limited: AppRateLimitedEvent;
}

export interface Answered {
  refused: WebAPICallResult & { error: string };
}

// What other payloads and answers show as a whole.
export interface ShownMessage {
  message: NonNullable<ConversationsHistoryResponse['messages']>[number];
}

export interface ShownChannel {
  channel: NonNullable<ConversationsInfoResponse['channel']>;
}
