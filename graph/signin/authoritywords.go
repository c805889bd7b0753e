package signin

// authorityWords explains the AADSTS numbers that people meet. Source:
// Microsoft's list of Entra authentication error codes; they are for
// explanation only, no decision hangs on them.
var authorityWords = map[string]page{
	"65001":   consent,
	"90094":   consent,
	"90095":   no(403, "Waiting for your administrator", "You have asked an administrator to allow this app. "+nothing, "Try again when it is allowed."),
	"65004":   no(403, "You did not agree", "pagbot cannot act for you without your consent. "+nothing, "Open the link again if you want to."),
	"50105":   no(403, "You are not assigned to this app", nothing, "Ask your administrator to assign you to the sign-in app in Entra (Enterprise applications, Users and groups)."),
	"53003":   no(403, "Blocked by Conditional Access", "Your organization's rules don't allow this sign-in from here. "+nothing, "Try from your usual device and network. Otherwise ask your administrator: Entra's sign-in log names the rule."),
	"53000":   device,
	"53001":   device,
	"50097":   device,
	"530002":  device,
	"530003":  device,
	"53002":   no(403, "This app is not approved for this", "Your organization's rules allow only approved apps here. "+nothing, "Open the link in the browser that your organization manages. Otherwise ask your administrator: Entra's sign-in log names the rule."),
	"53004":   no(403, "Microsoft wants your second factor from a safe place", "Your account or network looks risky to Microsoft just now. "+nothing, "Set up or confirm your second factor from your usual device and network, then try again. Otherwise ask your administrator."),
	"53011":   no(403, "Microsoft has blocked your account as risky", nothing, "Ask your administrator: Entra's Identity Protection says why."),
	"530036":  no(403, "Device codes are blocked here", "Your organization does not allow sign-in by device code. "+nothing, "Use /pag signin and your browser."),
	"50057":   no(403, "Your account is disabled", nothing, "Ask your administrator whether that is meant."),
	"50053":   no(403, "Your account is locked", "There were too many wrong passwords, or Microsoft knows the address you come from as bad. "+nothing, "Wait a quarter of an hour, or reset your password, then try again."),
	"50055":   no(403, "Your password has expired", nothing, "Set a new one on Microsoft's sign-in page, then try again."),
	"50034":   no(403, "Microsoft does not know that account here", nothing, "Sign in with the account that Slack's message names."),
	"50173":   again,
	"50133":   again,
	"70043":   again,
	"70044":   again,
	"700082":  again,
	"50196":   no(503, "Microsoft saw too many sign-ins", nothing, "Wait five minutes, then try again."),
	"90002":   setup,
	"500011":  setup,
	"7000218": setup,
	"65002":   setup,
	"50074":   mfa,
	"50076":   mfa,
	"50079":   no(403, "Set up your second factor first", "Your organization wants multifactor authentication, and your account has none yet. "+nothing, "Set it up under Security info on the page of your work account, or ask your administrator. Then try again."),
	"50020":   no(403, "That account is of another organization", nothing, "Sign in with the account that Slack's message names."),
	"700016":  setup,
	"50011":   setup,
	"7000215": setup,
	"7000222": setup,
	"700027":  setup,
}

var (
	consent = no(403, "This app is not allowed yet", "An administrator must consent to its permissions first. "+nothing, "Ask your administrator to grant admin consent to the sign-in app.")
	device  = no(403, "This device is not accepted", "Your organization wants a managed, compliant device here. "+nothing, "Open the link on a device that your organization manages, outside Slack's own browser.")
	mfa     = no(403, "A second factor is needed", "Microsoft wants multifactor authentication and did not get it. "+nothing, "Try again and complete it.")
	setup   = no(503, "The sign-in is not set up correctly", nothing, "Tell your administrator: the sign-in app's id, secret or redirect address is wrong or has expired.")
	again   = no(403, "Microsoft wants you to sign in anew", "Your session with Microsoft was ended or is too old. "+nothing, "Try again, and sign in when Microsoft asks.")
	gaveUp  = no(403, "You stopped the sign-in", nothing, "If that was a mistake, try again. Otherwise close this page.")
	puzzled = no(502, "Microsoft did not finish the sign-in", nothing, "Wait a minute, then begin again. If it stays, tell your administrator the reference.")
)
