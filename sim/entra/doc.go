// Package entra pretends to be one Microsoft Entra tenant: the sign-in
// authority, the slice of Microsoft Graph that PIM for Groups needs, and the
// people who use the portal meanwhile.
//
// It is a library first: [New] makes a [World] in memory, its methods are what
// an administrator or a person in the portal would do. [World.Graph],
// [World.Authority] and [World.Manage] are thin servers on top. It is strict
// (unknown fields, missing filters, missing scopes and impossible requests are
// refused as the service refuses them) and it lies where the service lies
// (reads lag behind writes, MFA passes on an old session, approvers are asked
// nothing, the last owner stays). What it may be told to do wrong stands in one
// table, dials.go.
//
// Three kinds of state are kept apart, because the service keeps them apart and
// clients confuse them: what was asked (requests), what PIM recorded (rows:
// schedules and instances) and what the directory says (ties: members and
// owners). All three are histories, so that a lagging read is a read at an
// earlier time. Nothing runs in the background: what is due is done when
// somebody looks (agenda.go), so time may be fake, scaled or stand still.
//
//	world.go      the tenant and its clock      agenda.go     what falls due
//	directory.go  users, groups, ties           settings.go   role settings, 17 rules
//	pim.go        requests and their lives      rows.go       schedules and instances
//	rules.go      what an ask must meet         approval.go   stages and decisions
//	graph.go      the HTTP door of Graph        routes.go     its table
//	read.go       collections, paging, lies     odata.go      $filter
//	authority.go  sign-in, consent, codes       grants.go     the token endpoint
//	portal.go     people in the portal          manage.go     management over HTTP
//	history.go    everything that was asked     dials.go      every limit and lie
package entra
