package slack

import "maps"

var (
	anID    = strFrom(0, 255)
	confirm = object(shape{"title": plain(100), "text!": anyText(300), "confirm": plain(30), "deny": plain(30), "style": oneOf("primary", "danger")})
	option  = object(shape{"text!": anyText(75), "value!": optionValue, "description": anyText(75), "url": str(3000)})
	options = listOf(1, 100, option)
	group   = object(shape{"label!": plain(75), "options!": options})
	style   = oneOf("primary", "danger")
	words   = listOf(0, 1000, str(3000))
	picture = oneField(shape{"id": str(255), "url": str(3000)})
	onType  = object(shape{"trigger_actions_on": listOf(0, 2, oneOf("on_enter_pressed", "on_character_entered"))})

	selects = []string{"static_select", "external_select", "users_select", "conversations_select", "channels_select",
		"multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select", "multi_channels_select"}
	pickers    = append([]string{"checkboxes", "radio_buttons", "datepicker", "timepicker"}, selects...)
	inSection  = append([]string{"button", "image", "overflow", "workflow_button"}, pickers...)
	inActions  = append([]string{"button", "overflow", "workflow_button", "datetimepicker", "rich_text_input"}, pickers...)
	inInput    = append([]string{"plain_text_input", "email_text_input", "url_text_input", "number_input", "file_input", "rich_text_input", "datetimepicker"}, pickers...)
	inRichText = []string{"text", "link", "user", "channel", "usergroup", "team", "emoji", "date", "broadcast", "color"}
)

// with adds fields to a shape.
func with(base shape, more shape) shape {
	out := maps.Clone(base)
	maps.Copy(out, more)
	return out
}

// shapes are Block Kit: what each block and element may hold, with the limits
// of the official types. A nil shape is a known type that is not looked into.
var shapes = func() map[string]shape {
	all := map[string]shape{}
	for _, part := range []map[string]shape{blockShapes(), controlShapes(), inputShapes(), selectShapes(), richShapes(), viewShapes()} {
		maps.Copy(all, part)
	}
	return all
}()

func blockShapes() map[string]shape {
	b := shape{"block_id": anID}
	contextItem := func(r *report, v any, where string) {
		if o, _ := v.(map[string]any); o["type"] == "image" {
			r.typed("element", v, where, nil)
			return
		}
		anyText(3000)(r, v, where)
	}
	all := map[string]shape{
		"block section": with(b, shape{"text": anyText(3000), "fields": listOf(1, 10, anyText(2000)), "accessory": of("element", inSection...), "expand": boolean}),
		"block header":  with(b, shape{"text!": plain(150), "level": anything}),
		"block divider": b,
		"block context": with(b, shape{"elements!": listOf(1, 10, contextItem)}),
		"block actions": with(b, shape{"elements!": listOf(1, 25, of("element", inActions...))}),
		"block input": with(b, shape{"label!": plain(2000), "element!": of("element", inInput...), "hint": plain(2000),
			"optional": boolean, "dispatch_action": boolean}),
		"block image":           with(b, shape{"image_url": str(3000), "slack_file": picture, "alt_text!": str(2000), "title": plain(2000)}),
		"block rich_text":       with(b, shape{"elements!": listOf(1, 1000, of("rich", "rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"))}),
		"block markdown":        with(b, shape{"text!": str(12000)}),
		"block table":           with(b, shape{"rows!": listOf(1, 100, listOf(1, 20, cell)), "column_settings": anything}),
		"block context_actions": with(b, shape{"elements!": listOf(1, 5, of("element", "feedback_buttons", "icon_button"))}),
	}
	maps.Copy(all, youngShapes(b))
	return all
}

// optionValue may be as long as the dial says: the types and the documentation
// disagree.
func optionValue(r *report, v any, where string) { str(r.dials.OptionValueMax)(r, v, where) }

func cell(r *report, v any, where string) {
	o, _ := v.(map[string]any)
	switch o["type"] {
	case "raw_text":
		r.fields(shape{"type": anything, "text!": anything}, o, where, "")
	case "raw_number":
		if r.dials.RefuseNumbers {
			r.say(r.in(where, "type"), "unsupported type: raw_number")
		}
		r.fields(shape{"type": anything, "text": anything, "value!": anything}, o, where, "")
	case "rich_text":
		r.typed("block", v, where, nil)
	default:
		r.say(r.in(where, "type"), "unsupported type: %v", o["type"])
	}
}

func controlShapes() map[string]shape {
	button := shape{"action_id": anID, "text!": plain(75), "value": strFrom(0, 2000), "url": str(3000), "style": style, "confirm": confirm,
		"accessibility_label": str(75), "visible_to_user_ids": words, "agent_prompt": anything, "agent_prompt_display": anything}
	pick := shape{"action_id": anID, "confirm": confirm, "focus_on_load": boolean}
	few := listOf(1, 10, option)
	return map[string]shape{
		"element button":           button,
		"element workflow_button":  with(button, shape{"workflow!": anything}),
		"element icon_button":      with(button, shape{"icon!": anything}),
		"element feedback_buttons": {"action_id": anID, "positive_button!": anything, "negative_button!": anything},
		"element image":            {"image_url": str(3000), "slack_file": picture, "alt_text!": str(2000)},
		"element overflow":         {"action_id": anID, "options!": listOf(1, 5, option), "confirm": confirm},
		"element checkboxes":       with(pick, shape{"options!": few, "initial_options": few, "visible_to_user_ids": words}),
		"element radio_buttons":    with(pick, shape{"options!": few, "initial_option": option}),
		"element datepicker":       with(pick, shape{"initial_date": like(`^\d{4}-\d{2}-\d{2}$`, "YYYY-MM-DD"), "placeholder": plain(150)}),
		"element timepicker":       with(pick, shape{"initial_time": like(`^([01]\d|2[0-3]):[0-5]\d$`, "HH:mm"), "placeholder": plain(150), "timezone": str(100)}),
		"element datetimepicker":   with(pick, shape{"initial_date_time": number(1e9, 9999999999)}),
	}
}

func inputShapes() map[string]shape {
	line := shape{"action_id": anID, "placeholder": plain(150), "initial_value": strFrom(0, 3000), "focus_on_load": boolean, "dispatch_action_config": onType}
	return map[string]shape{
		"element plain_text_input": with(line, shape{"multiline": boolean, "min_length": number(0, 3000), "max_length": number(1, 3000)}),
		"element email_text_input": line,
		"element url_text_input":   line,
		"element number_input":     with(line, shape{"is_decimal_allowed!": boolean, "min_value": strFrom(0, 100), "max_value": strFrom(0, 100)}),
		"element rich_text_input":  with(line, shape{"initial_value": anything, "min_lines": anything, "max_lines": anything}),
		"element file_input":       {"action_id": anID, "filetypes": words, "max_files": number(1, 10)},
	}
}

func selectShapes() map[string]shape {
	base := shape{"action_id": anID, "placeholder": plain(150), "confirm": confirm, "focus_on_load": boolean}
	multi := with(base, shape{"max_selected_items": number(1, 1000)})
	static, least := shape{"options": options, "option_groups": listOf(1, 100, group)}, shape{"min_query_length": number(0, 3000)}
	where := shape{"default_to_current_conversation": boolean, "filter": anything}
	url := shape{"response_url_enabled": boolean}
	return map[string]shape{
		"element static_select":              with(with(base, static), shape{"initial_option": option}),
		"element external_select":            with(with(base, least), shape{"initial_option": option}),
		"element users_select":               with(base, shape{"initial_user": str(255)}),
		"element channels_select":            with(with(base, url), shape{"initial_channel": str(255)}),
		"element conversations_select":       with(with(with(base, where), url), shape{"initial_conversation": str(255)}),
		"element multi_static_select":        with(with(multi, static), shape{"initial_options": options}),
		"element multi_external_select":      with(with(multi, least), shape{"initial_options": options}),
		"element multi_users_select":         with(multi, shape{"initial_users": words}),
		"element multi_channels_select":      with(multi, shape{"initial_channels": words}),
		"element multi_conversations_select": with(with(multi, where), shape{"initial_conversations": words}),
	}
}

func richShapes() map[string]shape {
	look := shape{"style": object(shape{"bold": boolean, "italic": boolean, "strike": boolean, "code": boolean, "underline": boolean,
		"highlight": boolean, "client_highlight": boolean, "unlink": boolean})}
	run := listOf(0, 1000, of("rich", inRichText...))
	many := str(1 << 20)
	return map[string]shape{
		"rich rich_text_section":      {"elements!": run},
		"rich rich_text_quote":        {"elements!": run, "border": anything},
		"rich rich_text_preformatted": {"elements!": listOf(0, 1000, of("rich", "text", "link")), "border": anything, "language": anything},
		"rich rich_text_list": {"elements!": listOf(1, 1000, of("rich", "rich_text_section")), "style!": oneOf("bullet", "ordered"),
			"indent": anything, "offset": anything, "border": anything},
		"rich text":      with(look, shape{"text!": many}),
		"rich link":      with(look, shape{"url!": str(3000), "text": anything, "unsafe": boolean}),
		"rich user":      with(look, shape{"user_id!": many}),
		"rich channel":   with(look, shape{"channel_id!": many}),
		"rich usergroup": with(look, shape{"usergroup_id!": many}),
		"rich team":      with(look, shape{"team_id!": many}),
		"rich emoji":     with(look, shape{"name!": many, "unicode": anything, "skin_tone": anything, "url": anything}),
		"rich date":      with(look, shape{"timestamp!": number(0, 1e11), "format!": many, "fallback": anything, "url": anything}),
		"rich broadcast": with(look, shape{"range!": oneOf("here", "channel", "everyone")}),
		"rich color":     with(look, shape{"value!": many}),
	}
}

func viewShapes() map[string]shape {
	base := shape{"type": anything, "callback_id": anID, "external_id": anID, "private_metadata": strFrom(0, 3000)}
	return map[string]shape{
		"view home": with(base, shape{"title": anything, "submit": anything, "close": anything, "clear_on_close": boolean, "notify_on_close": boolean}),
		"view modal": with(base, shape{"title!": plain(24), "submit": plain(24), "close": plain(24), "clear_on_close": boolean,
			"notify_on_close": boolean, "submit_disabled": boolean}),
	}
}
