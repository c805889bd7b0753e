package entra

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	userFields = `id deletedDateTime aboutMe accountEnabled ageGroup assignedLicenses assignedPlans authorizationInfo birthday businessPhones city companyName
		consentProvidedForMinor country createdDateTime creationType customSecurityAttributes department deviceEnrollmentLimit displayName employeeHireDate employeeId
		employeeLeaveDateTime employeeOrgData employeeType externalUserState externalUserStateChangeDateTime faxNumber givenName hireDate identities identityParentId
		imAddresses interests isManagementRestricted isResourceAccount jobTitle lastPasswordChangeDateTime legalAgeGroupClassification licenseAssignmentStates mail
		mailboxSettings mailNickname mobilePhone mySite officeLocation onPremisesDistinguishedName onPremisesDomainName onPremisesExtensionAttributes
		onPremisesImmutableId onPremisesLastSyncDateTime onPremisesProvisioningErrors onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled
		onPremisesUserPrincipalName otherMails passwordPolicies passwordProfile pastProjects postalCode preferredDataLocation preferredLanguage preferredName print
		provisionedPlans proxyAddresses responsibilities schools securityIdentifier serviceProvisioningErrors showInAddressList signInActivity
		signInSessionsValidFromDateTime skills state streetAddress surname usageLocation userPrincipalName userType`
	groupFields = `id deletedDateTime allowExternalSenders assignedLabels assignedLicenses autoSubscribeNewMembers classification createdDateTime description displayName
		expirationDateTime groupTypes hasMembersWithLicenseErrors hideFromAddressLists hideFromOutlookClients isArchived isAssignableToRole isManagementRestricted
		isSubscribedByMail licenseProcessingState mail mailEnabled mailNickname membershipRule membershipRuleProcessingState onPremisesDomainName
		onPremisesLastSyncDateTime onPremisesNetBiosName onPremisesProvisioningErrors onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled
		preferredDataLocation preferredLanguage proxyAddresses renewedDateTime resourceBehaviorOptions resourceProvisioningOptions securityEnabled securityIdentifier
		serviceProvisioningErrors theme uniqueName unseenCount visibility members`
	heldFields = "id principalId roleDefinitionId directoryScopeId appScopeId"
)

// propertiesOf are the properties of what the directory lists, by the lists'
// contexts and as Microsoft's description has them.
var propertiesOf = map[string][]string{
	"users":                     strings.Fields(userFields),
	"groups":                    strings.Fields(groupFields),
	"directoryObjects":          strings.Fields(userFields + " " + groupFields),
	"auditLogs/directoryAudits": strings.Fields("id activityDateTime activityDisplayName additionalDetails category correlationId initiatedBy loggedByService operationType result resultReason targetResources userAgent"),
	"policies/roleManagementPolicyAssignments":   strings.Fields("id policyId roleDefinitionId scopeId scopeType"),
	roleBase + "roleDefinitions":                 strings.Fields("id allowedPrincipalTypes description displayName isBuiltIn isEnabled isPrivileged resourceScopes rolePermissions templateId version"),
	roleBase + "roleAssignments":                 strings.Fields(heldFields + " condition"),
	roleBase + "transitiveRoleAssignments":       strings.Fields(heldFields),
	roleBase + "roleAssignmentScheduleInstances": strings.Fields(heldFields + " assignmentType memberType roleAssignmentOriginId roleAssignmentScheduleId startDateTime endDateTime"),
	roleBase + "roleAssignmentSchedules":         strings.Fields(heldFields + " assignmentType memberType status createdUsing createdDateTime modifiedDateTime scheduleInfo"),
}

// options are what a query may say to Graph with a dollar before it. Some of it
// is not simulated: what would be passed over is refused.
var options = strings.Fields("$filter $select $expand $top $count $skiptoken $deltatoken")

// optional refuses a query option that there is not, or not here.
func optional(c *call) *refusal {
	q, err := url.ParseQuery(c.query)
	if err != nil {
		return refuse(400, "BadRequest", "Invalid query: "+err.Error())
	}
	for name := range q {
		orders := strings.EqualFold(name, "$orderby") && strings.HasSuffix(c.path, "/directoryAudits")
		if strings.HasPrefix(name, "$") && !orders && !slices.ContainsFunc(options, func(o string) bool { return strings.EqualFold(o, name) }) {
			return refuse(400, "Request_UnsupportedQuery", "The query option '"+name+"' is not supported here.")
		}
	}
	if n, err := strconv.Atoi(orElse(q.Get("$top"), "0")); err != nil || n < 0 {
		return refuse(400, "BadRequest", "Invalid value '"+q.Get("$top")+"' for $top query option found. The $top query option requires a non-negative integer value.")
	}
	return nil
}

// known checks the names in a query against a list's properties: a name that it
// does not have is an error, and no empty list.
func (c *call) known(context string, f *filter, expands ...string) *refusal {
	has := propertiesOf[context]
	lacks := func(failed, name string) *refusal {
		return refuse(400, "BadRequest", failed+": Could not find a property named '"+name+"' on the type of "+context+".")
	}
	for _, field := range f.fields {
		outer, _, _ := strings.Cut(field, "/")
		if !extension(outer) && !slices.ContainsFunc(has, func(s string) bool { return strings.EqualFold(s, outer) }) {
			return lacks("Invalid filter clause", field)
		}
	}
	q, _ := url.ParseQuery(c.query)
	for _, name := range fields(q.Get("$select")) {
		if !extension(name) && !slices.Contains(has, name) && name != "*" {
			return lacks("Parsing OData Select and Expand failed", name)
		}
	}
	for _, name := range navigations(q.Get("$expand") + q.Get("expand")) {
		if !slices.Contains(expands, name) {
			return lacks("Parsing OData Select and Expand failed", name)
		}
	}
	return nil
}

// extension tells a tenant's own properties: any may be there.
func extension(name string) bool { return strings.HasPrefix(name, "extension_") }
