-- Which actions fit the MFAUser as it is. The others are shown as disabled.
local status = obj.status or {}
local suspended = obj.spec.suspend == true
local deleting = obj.metadata.deletionTimestamp ~= nil
local codes = {PendingActivation = true, Expired = true, Activated = true, PinBlocked = true}
local pending = status.code ~= nil and status.code.pending ~= nil

local actions = {}
actions["reconcile"] = {
  ["displayName"] = "Reconcile now",
  ["iconClass"] = "fa fa-fw fa-sync",
  ["disabled"] = suspended,
}
actions["issue-code"] = {
  ["displayName"] = "Issue a code",
  ["iconClass"] = "fa fa-fw fa-key",
  ["disabled"] = suspended or deleting or pending or obj.spec.managementPolicy == "Observe"
    or status.accountID == nil or not codes[status.state],
  ["params"] = {{["name"] = "purpose"}},
}
actions["suspend"] = {
  ["displayName"] = "Suspend",
  ["iconClass"] = "fa fa-fw fa-pause-circle",
  ["disabled"] = suspended or deleting,
}
actions["resume"] = {
  ["displayName"] = "Resume",
  ["iconClass"] = "fa fa-fw fa-play-circle",
  ["disabled"] = not suspended or deleting,
}
return actions
