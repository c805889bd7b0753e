package slack

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"go.yaml.in/yaml/v3"
)

// manifestShape is an app manifest with its limits (facts: Slack §8); functions,
// workflows and the like are not looked into.
var manifestShape = func() shape {
	scopes, names := listOf(0, 255, str(50)), listOf(0, 100, str(50))
	url := str(3500)
	command := object(shape{"command!": like(`^/.{1,31}$`, "/name, at most 32 characters"), "description!": str(2000), "usage_hint": str(1000),
		"should_escape": boolean, "url": url})
	shortcut := object(shape{"name!": str(24), "type!": oneOf("message", "global"), "callback_id!": str(255), "description!": str(150)})
	return shape{
		"_metadata": anything, "app_directory": anything, "functions": anything, "workflows": anything, "outgoing_domains": anything,
		"display_information!": object(shape{"name!": str(35), "description": str(140), "long_description": strFrom(175, 4000),
			"background_color": like(`^#[0-9a-fA-F]{3}([0-9a-fA-F]{3})?$`, "#1c1c1c")}),
		"features": object(shape{
			"bot_user":       object(shape{"display_name!": str(80), "always_online": boolean}),
			"app_home":       object(shape{"home_tab_enabled": boolean, "messages_tab_enabled": boolean, "messages_tab_read_only_enabled": boolean}),
			"slash_commands": listOf(0, 50, command), "shortcuts": listOf(0, 10, shortcut), "unfurl_domains": anything, "workflow_steps": anything,
			"functions": anything, "assistant_view": anything, "agent_view": anything}),
		"oauth_config": object(shape{"redirect_urls": anything, "token_management_enabled": boolean, "pkce_enabled": boolean,
			"scopes": object(shape{"bot": scopes, "user": scopes, "bot_optional": scopes, "user_optional": scopes})}),
		"settings": object(shape{
			"interactivity": object(shape{"is_enabled!": boolean, "request_url": url, "message_menu_options_url": url}),
			"event_subscriptions": object(shape{"request_url": url, "user_events": names, "bot_events": names,
				"metadata_subscriptions": listOf(1, 20, anything)}),
			"allowed_ip_address_ranges": listOf(0, 50, str(50)), "org_deploy_enabled": boolean, "socket_mode_enabled": boolean,
			"token_rotation_enabled": boolean, "is_hosted": boolean, "incoming_webhooks": anything, "siws_links": anything,
			"hermes_app_type": anything, "function_runtime": anything, "is_mcp_enabled": boolean}),
	}
}()

// manifest is what of a manifest decides how an app behaves.
type manifest struct {
	Display struct {
		Name string `json:"name"`
	} `json:"display_information"`
	Features struct {
		Bot struct {
			Name string `json:"display_name"`
		} `json:"bot_user"`
		Home struct {
			Home     bool `json:"home_tab_enabled"`
			Messages bool `json:"messages_tab_enabled"`
			Quiet    bool `json:"messages_tab_read_only_enabled"`
		} `json:"app_home"`
		Commands  []Command  `json:"slash_commands"`
		Shortcuts []Shortcut `json:"shortcuts"`
	} `json:"features"`
	OAuth struct {
		Scopes struct {
			Bot []string `json:"bot"`
		} `json:"scopes"`
	} `json:"oauth_config"`
	Settings struct {
		Interactivity struct {
			Enabled bool `json:"is_enabled"`
		} `json:"interactivity"`
		Events struct {
			Bot []string `json:"bot_events"`
		} `json:"event_subscriptions"`
		Org      bool `json:"org_deploy_enabled"`
		Sockets  bool `json:"socket_mode_enabled"`
		Rotation bool `json:"token_rotation_enabled"`
	} `json:"settings"`
}

// Install installs an app from its manifest, YAML or JSON, into a team. The
// error names all that is wrong with it.
func (w *World) Install(team string, raw []byte) (App, error) {
	var loose map[string]any
	if err := yaml.Unmarshal(raw, &loose); err != nil {
		return App{}, fmt.Errorf("the manifest is no YAML: %w", err)
	}
	loose = clone(loose)
	if bad := complaints(nil, func(r *report) { r.fields(manifestShape, loose, "", "") }); bad != nil {
		return App{}, fmt.Errorf("invalid_manifest: %s", strings.Join(bad, "; "))
	}
	var m manifest
	if err := json.Unmarshal(marshal(loose), &m); err != nil {
		return App{}, err
	}
	f, s := m.Features, m.Settings
	name := f.Bot.Name
	if name == "" {
		name = m.Display.Name
	}
	return w.AddApp(App{Name: name, Team: team, Scopes: m.OAuth.Scopes.Bot, Commands: f.Commands, Shortcuts: f.Shortcuts, Events: s.Events.Bot,
		Deaf: !s.Interactivity.Enabled, NoHome: !f.Home.Home, NoMessages: !f.Home.Messages, QuietTab: f.Home.Quiet,
		NoSocketMode: !s.Sockets, OrgInstalled: s.Org, Rotation: s.Rotation}), nil
}

func installManifest(w *World, r *http.Request) (any, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	return w.Install(r.PathValue("team"), raw)
}
