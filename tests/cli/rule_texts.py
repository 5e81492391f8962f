"""Rules of our own, one for each kind of thing that published rules do.

Each is a query whose meaning test_rule_texts.py asks of the oracle.
"""

KINDS = {
    "members of JSON texts": """AuditLogs
| where OperationName in ("Update named location")
| extend before = extractjson("$.net.mode", tostring(TargetResources[0].modifiedProperties[0].oldValue))
| extend after = extractjson("$.net.mode", tostring(TargetResources[0].modifiedProperties[0].newValue))
| where before != after or after == "open"
| extend who = tostring(InitiatedBy.user.userPrincipalName)
| project TimeGenerated, OperationName, place = TargetResources[0].displayName, who,
    account = tostring(split(who, "@")[0]), suffix = tostring(split(who, "@")[1]), before, after
| order by TimeGenerated desc""",

    "one mv-apply behind another": """let Levels = dynamic(["Secret", "Strictly internal"]);
AuditLogs
| where Category =~ "GroupManagement" and LoggedByService has "Directory" and OperationName in~ ("Add member to team", "Add owner to team")
| mv-apply T = TargetResources on
  (
      where T.type =~ "Group" and array_length(T.modifiedProperties) > 0 and isnotnull(T.displayName)
      | extend parts = T.modifiedProperties
  )
| mv-apply P = parts on
  (
      where P.displayName in~ ("Group.Label", "Team.Label")
      | extend Label = trim('"', tostring(P.newValue)), Former = trim(@'"', tostring(P.oldValue))
  )
| where Label in~ (Levels) and Label != Former
| mv-apply P = parts on ( where P.displayName =~ "Group.Owner" | extend Owner = tostring(P.newValue) )
| project-away T, P, parts""",

    "a union in parentheses": """(union isfuzzy=true
  (
  AuditLogs
  | where OperationName =~ "Set company branding"   // failed ones, too
  | mv-expand TargetResources
  | extend parts = parse_json(TargetResources).modifiedProperties
  | mv-expand parts
  | extend what = tostring(parse_json(parts).displayName)
  ),
  (
  AuditLogs
  | where OperationName =~ "Set company contact"
  | mv-apply Part = TargetResources on ( where Part.type =~ "Other" | extend what = tostring(Part.displayName) )
  | where what has "security"
  ))
| mv-apply Detail = AdditionalDetails on ( where Detail.key =~ "User-Agent" | extend Agent = tostring(Detail.value) )
| extend By = iff(isnotempty(InitiatedBy.user.userPrincipalName), tostring(InitiatedBy.user.userPrincipalName), tostring(InitiatedBy.app.displayName))
| project-reorder TimeGenerated, By, what, Agent""",

    "parts of a text": """AuditLogs
| where OperationName =~ "Accept terms of an application"
| where TargetResources has "write_all"
| mv-expand TargetResources
| extend App = TargetResources.displayName, Parts = TargetResources.modifiedProperties
| mv-apply Part = Parts on ( where Part.displayName =~ "Terms.Granted" | extend Granted = tostring(Part.newValue) )
| parse Granted with * "Kind: " Kind ", Rights: " Rights "]" *
| where Rights has_any ("write_all", "read_all") and Kind != "Everybody"
| extend Agent = replace('"', '', tostring(AdditionalDetails[0].value)), timestamp = TimeGenerated
| extend Name = split(tostring(InitiatedBy.user.userPrincipalName), "@")[0]""",

    "lists in JSON texts": """AuditLogs
| where OperationName has ("Change sign-in keys")
| where tostring(InitiatedBy.user.userPrincipalName) has "@" or tostring(InitiatedBy.app.displayName) has "@"
| mv-apply T = TargetResources on ( where T.type =~ "Application" | extend keys = T.modifiedProperties )
| mv-apply P = keys on
  (
      where P.displayName =~ "KeyList"
      | extend now_there = parse_json(tostring(P.newValue)), then_there = parse_json(tostring(P.oldValue))
  )
| where then_there == "[]"
| mv-expand now_there
| parse now_there with * "Key=" key:string ",Use=" use:string "]" *
| where use == "Verify"
| project-away now_there, then_there""",

    "either one or the other": """AuditLogs
| where OperationName has "Remove a partner organization"
| extend By = iff(isnotempty(InitiatedBy.user.userPrincipalName), InitiatedBy.user.userPrincipalName, InitiatedBy.app.displayName)
| extend From = InitiatedBy.user.ipAddress
| mv-apply T = TargetResources on ( where T.type =~ "Policy" | extend parts = T.modifiedProperties )
| mv-apply P = parts on ( where P.displayName =~ "tenant" | extend Gone = trim('"', tostring(P.oldValue)) )
| extend Name = tostring(split(By, '@', 0)[0]), Suffix = tostring(split(By, '@', 1)[0])""",

    "cases over a whole list": """AuditLogs
| where Category =~ "DirectorySettings"
    or OperationName has_any ("Set directory switch", "Set directory feature")
    or tostring(TargetResources) has_any ("SoftSwitch", "HardSwitch")
| extend Who = coalesce(tostring(InitiatedBy.user.userPrincipalName), tostring(InitiatedBy.app.displayName))
| extend What = case(
    tostring(TargetResources) has "HardSwitch", "hard",
    tostring(TargetResources) has_any ("SoftSwitch", "softswitch"), "soft",
    "other")
| project TimeGenerated, OperationName, What, Who, Result""",

    "truths that are chosen": """AuditLogs
| where OperationName =~ "Set tenant trust" or OperationName =~ "Set tenant name"
| mv-expand TargetResources
| mv-apply P = parse_json(TargetResources).modifiedProperties on
  ( where P.displayName =~ "Kind" | extend Kind = tostring(P.newValue) )
| extend Counts = iif(OperationName =~ "Set tenant name", iif(Kind has "Outer", True, False), True)
| where Counts == True
| mv-expand AdditionalDetails
| mv-apply D = AdditionalDetails on ( where D.key =~ "User-Agent" | extend Agent = tostring(D.value) )""",

    "counted parts": """AuditLogs
| where OperationName =~ "Update printer"
| mv-apply T=TargetResources on (
    where T.type =~ "Device"
    | extend Parts = T.modifiedProperties
    | extend Id_ = T.id)
| mv-apply P=Parts on ( where P.displayName =~ "ShownName" | extend Old = P.oldValue | extend New = P.newValue)
| mv-apply P=Parts on ( where P.displayName =~ "Updated Properties" | extend Updated = P.newValue)
| extend Old = tostring(parse_json(tostring(Old))[0]), New = tostring(parse_json(tostring(New))[0])
| extend Count = array_length(split(Updated, ','))
| where Old != New and Updated != '"x"' and Count > 1""",

    "by the first element": """AuditLogs
| where ActivityDisplayName in ("Add a member to the board", "Add a guest to the board")
| where LoggedByService !in ("PIM", "Other service")
| where Result == "success" and ResultReason != "Exists already" and Identity != "MS-PIM"
| where isnotempty(tostring(InitiatedBy.app.servicePrincipalId))
| where isempty(tostring(InitiatedBy.user.userPrincipalName))
| extend Member = tostring(TargetResources[0].userPrincipalName), Board = tostring(TargetResources[1].displayName)
| mv-expand Prop = TargetResources[0].modifiedProperties
| project Member, Board, PropName = tostring(Prop.displayName), InitiatedBy.app.displayName""",

    "accounts with a role, and without": """let Known = IdentityInfo
| where TimeGenerated > ago(14d)
| summarize arg_max(TimeGenerated, *) by AccountUPN
| where AssignedRoles has "Directory Synchronization Accounts" or AccountUPN startswith "Sync_"
| project AccountUPN, AccountObjectId;
AuditLogs
| where OperationName has_any ("Reset a passcode", "Change a passcode")
| mv-expand T = TargetResources
| extend Upn = tostring(T.userPrincipalName), By = tostring(InitiatedBy.user.userPrincipalName)
| where Upn in~ (Known) and By !in (Known | project AccountUPN)
    or tostring(T.id) in (Known | project AccountObjectId)
| project Upn, By""",

    "lists of one's own": """let vips = (_GetWatchlist('VIP users') | where Tier in ("0", "1") or Tier has "admin" | project SearchKey, Mail = tolower(Mail));
let known = _GetWatchlist("Known apps") | distinct ["App name"];
AuditLogs
| where OperationName =~ "Add a key to the vault"
| mv-expand T = TargetResources
| extend Who = tostring(InitiatedBy.user.userPrincipalName), Upn = tostring(T.userPrincipalName)
| where Who in~ (vips) or Upn in (vips | project Mail)
| where tostring(InitiatedBy.app.displayName) !in~ (known)
| project Who, Upn""",
}
