package target

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/worlds-targets.md anew")

// fact is something that a real target does, how it is turned here, and the
// test that shows it. A dial is a field of the simulator's dials or of how it
// follows Entra, or a [Fault]; "always" can't be turned.
type fact struct{ world, what, dial, test string }

var facts = []fact{
	{"target", "A copy learns after a delay and forgets after another", "Follow.Grant", "TestDelaysAreTheSeeds"},
	{"target", "Provisioning: five in ten seconds are pushed in 2–10 min, the sixth and every removal wait for the cycle", "Push.Cliff", "TestProvisioningCliff"},
	{"target", "Only activations are pushed: who was added past PIM, or assigned, waits for the cycle", "always", "TestOnlyActivationsArePushed"},
	{"target", "A membership that came and went between two cycles is never seen", "always", "TestProvisioningNeverSees"},
	{"target", "The ten seconds slide, or are fixed windows (unsettled)", "Push.Fixed", "TestFixedWindow; e2e: TestUnsettledTargets"},
	{"target", "A no is cached: asking early delays one's own yes", "Dials.CachedNo, Dials.CachedYes", "TestCacheDelaysItsOwnYes"},
	{"target", "Replicas disagree", "Dials.Replicas, Dials.Skew", "TestReplicasDisagree"},
	{"target", "Re-evaluated on demand: by nobody, oneself, anyone; it takes a while", "Dials.Reevaluate, Dials.Takes", "TestReevaluation"},
	{"target", "Rights that are frozen in a token are of its issue", "always", "TestRightsFrozenInAToken"},
	{"target", "429 with Retry-After over a budget; half an answer", "Dials.Budget, Dials.Window, Dials.RetryAfter", "TestDoor"},
	{"target", "Provisioning that the application refuses, cycle after cycle, is quarantined: nothing is pushed, cycles come rarer, down to one a day, and the first after it is mended ends it", "JobDials.Refuses, JobDials.Quarantine", "TestQuarantine"},
	{"target", "After four weeks in quarantine the job runs no more", "JobDials.Refuses", "TestQuarantineDisables"},
	{"target", "On demand a member is written at once; again: Skipped, RedundantExport; nobody is who would not be written anyway, nor who is new to a directory that lags", "JobDials.DemandLag", "TestDemand"},
	{"target", "On demand: whether who has left is taken out, whether it works in quarantine, whose budget it is (unsettled)", "JobDials.DemandRemoves, JobDials.DemandHeld, JobDials.DemandShares", "TestDemandUnsettled"},
	{"provision", "Jobs and demands need Synchronization.ReadWrite.All, or Application.ReadWrite.OwnedBy for an application that the caller owns", "App.Owners", "TestPermissions"},
	{"provision", "A demand: one group, five members, no groups in it, the rule's id; its answer is JSON inside of strings", "always", "TestDemandAnswers"},
	{"provision", "A connector that was authorized by OAuth must be stopped first", "App.OAuth", "TestDemandAnswers"},
	{"provision", "Five demands in ten seconds, then 429; with a Retry-After or without (unsettled)", "Dials.Demands, Dials.DemandWindow, Dials.NoRetryAfter", "TestDemandRate"},
	{"provision", "A job says how it stands: Active, Quarantine and why, Paused; its schema names the rule", "App.Stopped", "TestJobSaysHowItStands"},
	{"provision", "The log: what was written and what was not, minutes late, filtered with case by what it has, in pages that it named", "JobDials.LogLag", "TestProvisioningLog"},
	{"devops", "The copy of Entra's groups is refreshed every hour", "Org.Tick", "TestHourlyTick"},
	{"devops", "A sign-in of the person's refreshes at once", "always", "TestSignInReevaluates"},
	{"devops", "A person is known only after their first sign-in", "User.SignedIn", "TestKnownOnlyAfterFirstSignIn"},
	{"devops", "Without ordinary access there is nothing to refresh", "User.Standing", "TestStandingAccess"},
	{"devops", "An access control list has no entry instead of zero bits (unsettled)", "Dials.NoEntry", "TestAccessControlLists; e2e: TestUnsettledLife"},
	{"devops", "membersof answers a non-member with 404, or with nothing (unsettled)", "Dials.AbsentEmpty", "TestAbsentMembers; e2e: TestUnsettledLife"},
	{"devops", "POST membersof re-evaluates oneself, or anybody (unsettled)", "Dials.Reevaluate", "TestReevaluationOnDemand; e2e: TestUnsettledLife"},
	{"devops", "graph/memberships sees direct edges only", "always", "TestDirectMembershipIsBlind"},
	{"devops", "The evaluation batch is about whoever calls", "always", "TestWhoMayCall"},
	{"devops", "Sign-in pages with 200, 503, Retry-After of an hour", "Fault.Do", "TestFaults"},
	{"devops", "Hangs, resets, slow answers", "Fault.Do", "TestFaultsOfTheWire"},
	{"devops", "Errors name their exception, as typeKey; only numbered ones have it in their message", "always", "TestErrorsNameTheirException"},
	{"scim", "A user is written with their first access", "User.Provisioned", "TestFirstAccessWritesTheUser"},
	{"scim", "… and deleted with their last, where no base group keeps them", "Dials.Deprovisions", "TestLastAccessDeletesTheUser"},
	{"scim", "Members are omitted, always empty, or cut", "Dials.Members, Dials.Most", "TestLies"},
	{"scim", "A filter on members is ignored, or refused", "Dials.Filters", "TestLies"},
	{"scim", "An empty list is left out", "Dials.OmitEmpty", "TestLies"},
	{"scim", "Users show no groups, or another externalId than the object id", "Dials.NoGroups, Dials.NoExternalID", "TestLies"},
	{"scim", "Lists come in pages", "Dials.Page", "TestPages"},
	{"scim", "404, 409 uniqueness, 429, 401", "always", "TestWritesAndTokens"},
	{"scim", "The application takes its time over what was written", "Dials.Apply", "TestLies"},
	{"scim", "Entra writes direct members only: no groups in groups", "always", "TestNestedMembersAreNotProvisioned"},
	{"awsidc", "Requests must be signed, for the region", "always", "TestSignatures"},
	{"awsidc", "The store is eventually consistent", "Dials.Apply", "TestMembershipFollowsProvisioning"},
	{"awsidc", "ThrottlingException is a 400 with seconds in it", "Dials.Budget", "TestOperations"},
	{"awsidc", "A group that is gone is an error, or plainly has no members (unsettled)", "Dials.GoneIsFalse", "TestOperations; e2e: TestUnsettledTargets"},
	{"awsidc", "An operation is denied to the role", "Dials.Deny", "TestOperations"},
	{"awsidc", "Identifiers, page tokens and operations that there are not are errors; operations are posted", "always", "TestUnknownParametersAreRefused"},
	{"awsidc", "externalId is something else than the object id", "Dials.NoExternalID", "TestOperations"},
	{"awsidc", "A role is opened by a token, for an hour", "Config.Roles", "TestRoles"},
	{"awsidc", "Entra writes direct members only: no groups in groups", "always", "TestNestedMembersAreNotProvisioned"},
	{"saas", "GitHub's team sync looks once an hour; 404 is said of a missing team too", "always", "TestTeamSyncIsACycle"},
	{"saas", "Who never signed in by SAML is added to no team", "Dials.Unlinked", "TestTeamSyncNeedsASignInBySAML"},
	{"saas", "A new team member is pending", "Dials.Pending", "TestTeamSyncIsACycle"},
	{"saas", "Salesforce has no fast path, and shows nothing to who may not look", "Dials.NoPermission", "TestSalesforceHasNoFastPath"},
	{"saas", "Entra's gallery connector gives a profile: a user has one, that of the group or the ordinary one", "always", "TestSalesforceProfiles"},
	{"saas", "SOQL minds no line breaks, and shows the columns that were selected", "always", "TestSOQLAnswersWhatWasSelected"},
	{"saas", "Salesforce's errors are lists: INVALID_SESSION_ID, REQUEST_LIMIT_EXCEEDED", "always", "TestSalesforceHasErrorsOfItsOwn"},
	{"saas", "Every condition of SOQL counts, in any case; what is not understood is refused", "always", "TestSOQLConditionsCount"},
	{"scim", "A 401 says how to come in; the service tells of itself all that RFC 7643 demands", "always", "TestWhatTheRFCsDemand"},
	{"scim", "An attribute that there is not can't be filtered by; ids mind their case; nothing lies below a resource", "always", "TestUnknownAttributesAreRefused"},
	{"azure", "An api-version is a date; a filter names whom it is about", "always", "TestVersionsAndFiltersAreStrict"},
	{"azure", "An application reads a scope, and asks the engine about it, with a right there: elsewhere it is refused, and sees no empty list", "Config.Readers", "TestReadingNeedsARightAtTheScope"},
	{"devops", "What is in preview must be asked for as a preview", "always", "TestPreviewsAreAskedFor"},
	{"devops", "Searches, namespaces and kinds of membership that there are not are refused, and so is a body that does not say it is JSON; a person's token needs user_impersonation", "always", "TestUnknownWordsAreRefused"},
	{"intune", "Each role assignment follows Entra on its own; two at once widen each other", "Assignment.Follow", "TestAssignmentsArriveAndWiden"},
	{"intune", "Functions about the user answer for the bearer: an application hears of itself, with 200", "always", "TestAnApplicationHearsOfItself"},
	{"intune", "The newer shape of role details names no assignments", "Dials.NewShape", "TestAnApplicationHearsOfItself"},
	{"intune", "Rights are those of the token's issue (unsettled)", "Dials.RightsFromToken", "TestRightsAreOfTheTokensIssue; e2e: TestUnsettledTargets"},
	{"intune", "Policies show what was selected, by the scope tags of all assignments", "always", "TestPoliciesShowWhatWasSelected"},
	{"intune", "What a query names and is not there is refused; scope tags expand in beta alone", "always", "TestUnknownQueriesAreRefused"},
	{"intune", "Each call needs its permission, delegated or the application's; a person without a licence may do nothing, whatever their role", "Config.Unlicensed", "TestScopesAndLicences"},
	{"defender", "Each call needs its permission, delegated or the application's", "always", "TestScopes"},
	{"defender", "$top counts; a query option that is not heeded is refused", "always", "TestQueriesAreHeededOrRefused"},
	{"azure", "assignedTo() takes no group: it is refused, or finds nothing (unsettled); a person's token needs user_impersonation, and a 401 says where to get one", "Dials.GroupsUnheard", "TestAssignedToTakesNoGroups"},
	{"defender", "A token keeps the roles of its issue", "Dials.Keeps", "TestATokenKeepsItsRoles"},
	{"azure", "The list of assignments is ahead of the engine, a token behind it", "Dials.Keeps", "TestTheListIsAheadAndTheTokenBehind"},
	{"azure", "The engine believes groups that are sent along, and caches for five minutes", "always", "TestTheEngineBelievesAndCaches"},
	{"azure", "The engine looks a person's groups up although nobody asked (unsettled)", "Dials.ExpandsAnyway", "TestTheEngineBelievesAndCaches; e2e: TestUnsettledTargets"},
	{"azure", "Data actions at management groups take hours", "Assignment.Follow", "TestDataActionsOfManagementGroupsTakeHours"},
	{"azure", "An answer names what grants: a group, or the person", "always", "TestAnswersNameWhatGrants"},
}

// notSimulated names the facts without a row.
var notSimulated = []string{
	"§3.2 On demand: users, whole groups, the provisioning steps; what a link to nobody does.",
	"§4 Events that get lost, tails beyond a bound (Follow.Grant takes any Max), clocks of targets that are wrong: the probes' own clock is what intervals are told in.",
	"§6 Licences, and the group rules that give them (every 24 h); namespaces but Collection; permission reports.",
	"§7 auditEvents, by which an administrator would prove an effect afterwards; the list of role assignments: the bot reads the one that is configured.",
	"§8 The time that the list of machines takes; filters on it.",
	"§9 What a person may read of assignments; versions of the API but by their form; filters but atScope() and assignedTo(); conditions on assignments; managed identities' 24 h; budgets in headers.",
	"§10 wids in tokens; consumers of a role that learn of it hours later.",
	"§11-13 Exchange Online, Purview, SharePoint administration: their hours of delay, their cmdlets and pages.",
	"§14-16 Defender for Cloud Apps, Defender for Identity, billing accounts.",
	"§17 The access portal and its tokens (SSO-OIDC, ListAccounts, ListAccountRoles), ListAccountAssignmentsForPrincipal, sessions of a role; AWS's own SCIM is sim/scim with its members empty; the lists of groups and users are denied. A signature's age is not checked.",
	"§18 Re-login, sessions; GroupMember; SOQL but equality joined by AND.",
	"§19 Enterprise Managed Users: external groups, the daily reconciliation; a collaborator's permission; X-RateLimit headers but Remaining.",
	"§20 Kubernetes and AKS: reviews, Guard and its caches.",
	"§21 LDAP and Domain Services.",
	"§22 Filters but equality joined by and (no or, not, co, sw, pr, no value paths, no URNs); /Schemas, /ResourceTypes; any write.",
	"§23 The general HTTP target is shown with sim/saas.",
}

// declared finds the tests and the fields of structs of a package.
func declared(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				all[n.Name.Name] = true
			case *ast.TypeSpec:
				if s, ok := n.Type.(*ast.StructType); ok {
					for _, field := range s.Fields.List {
						for _, f := range field.Names {
							all[n.Name.Name+"."+f.Name] = true
						}
					}
				}
			}
			return true
		})
	}
	return all
}

// TestEveryFactIsShown: every fact has its test, every dial is one, and the
// table in the docs is this one.
func TestEveryFactIsShown(t *testing.T) {
	frame := declared(t, "target")
	turned := map[string]bool{}
	var table strings.Builder
	table.WriteString("# What the simulated targets do, and how to turn it\n\nMade from `sim/target/facts_test.go`; `go test ./sim/target -update` writes it anew.\n\n| world | fact | dial | shown by |\n|---|---|---|---|\n")
	for _, f := range facts {
		own := declared(t, f.world)
		if shown, _, _ := strings.Cut(f.test, "; "); !own[shown] {
			t.Errorf("sim/%s has no %s", f.world, f.test)
		}
		for dial := range strings.SplitSeq(f.dial, ", ") {
			if dial != "always" && !own[dial] && !frame[dial] {
				t.Errorf("sim/%s has no dial %s", f.world, dial)
			}
			turned[f.world+" "+dial] = true
		}
		fmt.Fprintf(&table, "| `sim/%s` | %s | %s | `%s` |\n", f.world, f.what, strings.Replace("`"+f.dial+"`", "`always`", "always so", 1), f.test)
	}
	for _, world := range []string{"target", "devops", "scim", "awsidc", "saas", "intune", "defender", "azure", "provision"} {
		for name := range declared(t, world) {
			if strings.HasPrefix(name, "Dials.") && !turned[world+" "+name] {
				t.Errorf("sim/%s: no fact stands behind %s", world, name)
			}
		}
	}
	table.WriteString("\n## Not simulated\n\nThe sections are those of the book of facts about targets.\n\n")
	for _, f := range notSimulated {
		fmt.Fprintf(&table, "- %s\n", f)
	}
	const file = "../../docs/worlds-targets.md"
	if *update {
		if err := os.WriteFile(file, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != table.String() {
		t.Errorf("docs/worlds-targets.md is not this table: go test ./sim/target -update (%v)", err)
	}
}
