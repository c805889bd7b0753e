package slack

// youngShapes are the blocks that Slack added lately, and that a workspace may
// not have yet (see Dials.RefusedBlocks).
func youngShapes(b shape) map[string]shape {
	level := oneOf("default", "info", "warning", "error", "success")
	image := of("element", "image")
	row := object(shape{"items!": listOf(1, 3, object(shape{"block!": of("block"), "width": anything, "horizontal_alignment": anything}))})
	child := of("block", "actions", "context", "divider", "file", "header", "image", "input", "rich_text", "section", "table", "video")
	return map[string]shape{
		"block layout": with(b, shape{"label!": str(255), "rows!": listOf(1, 50, row), "is_label_visible": boolean, "grid_lines": anything, "fallback": anything}),
		"block alert":  with(b, shape{"text!": anyText(3000), "level": level}),
		"block card": with(b, shape{"hero_image": image, "icon": image, "title": text(150, "mrkdwn"), "subtitle": text(150, "mrkdwn"),
			"body": text(200, "mrkdwn"), "slack_icon": anything, "subtext": text(200, "mrkdwn"), "actions": listOf(1, 5, of("element", "button"))}),
		"block carousel": with(b, shape{"elements!": listOf(1, 10, of("block", "card"))}),
		"block container": with(b, shape{"title": plain(150), "rich_text_title": of("block", "rich_text"), "subtitle": anyText(150),
			"child_blocks!": listOf(1, 10, child), "width": oneOf("narrow", "standard", "wide", "full"), "icon": image,
			"is_collapsible": boolean, "default_collapsed": boolean, "has_header_divider": boolean}),
		"block data_table": with(b, shape{"rows!": listOf(2, 101, listOf(1, 20, cell)), "caption!": str(2000), "page_size": number(1, 100),
			"row_header_column_index": number(0, 19)}),
		"block data_visualization": with(b, shape{"title!": str(50), "chart!": chart}),
		"block task_card": with(b, shape{"task_id!": str(255), "title!": str(3000), "details": of("block", "rich_text"), "output": of("block", "rich_text"),
			"sources": anything, "status!": oneOf("pending", "in_progress", "complete", "error")}),
		"block plan": with(b, shape{"title!": str(3000), "tasks": anything}),
		"block file": with(b, shape{"source!": oneOf("remote"), "external_id!": str(255)}),
		"block video": with(b, shape{"video_url!": str(3000), "thumbnail_url!": str(3000), "alt_text!": str(2000), "title!": plain(200), "title_url": str(3000),
			"author_name": strFrom(0, 50), "provider_name": str(255), "provider_icon_url": str(3000), "description": plain(200)}),
	}
}

// chart is the payload of a data_visualization block.
func chart(r *report, v any, where string) {
	o, _ := v.(map[string]any)
	most := r.dials.ChartMax
	label, kind := str(20), oneOf("line", "bar", "area", "pie")
	value := number(-1e15, 1e15)
	point := object(shape{"label!": label, "value!": value})
	series := object(shape{"name!": label, "data!": listOf(1, 20, point)})
	axis := object(shape{"categories!": listOf(1, 20, label), "x_label": str(50), "y_label": str(50)})
	if o["type"] == "pie" {
		object(shape{"type!": kind, "segments!": listOf(1, most, point)})(r, v, where)
		return
	}
	object(shape{"type!": kind, "series!": listOf(1, most, series), "axis_config!": axis})(r, v, where)
}
