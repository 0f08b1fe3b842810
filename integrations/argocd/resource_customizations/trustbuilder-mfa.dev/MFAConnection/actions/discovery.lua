-- Which actions fit the MFAConnection as it is. The others are shown as disabled.
local held = false
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    held = held or condition.type == "ChangesHeld" and condition.status == "True"
  end
end

local actions = {}
actions["reconcile"] = {
  ["displayName"] = "List the accounts now",
  ["iconClass"] = "fa fa-fw fa-sync",
}
actions["approve-removals"] = {
  ["displayName"] = "Approve held removals",
  ["iconClass"] = "fa fa-fw fa-user-times",
  ["disabled"] = not held,
  ["params"] = {{["name"] = "number"}},
}
return actions
