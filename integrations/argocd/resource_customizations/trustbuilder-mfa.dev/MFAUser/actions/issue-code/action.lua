-- Asks for one code. Without a purpose it is the one that takes nothing away from the person: Restore, which deletes all
-- other devices, has to be asked for by name.
local os = require("os")
local state = (obj.status or {}).state or "Unknown"
local fitting = {PendingActivation = "Enrollment", Expired = "Enrollment", Activated = "AddDevice", PinBlocked = "Unlock"}
local known = {Enrollment = true, AddDevice = true, Unlock = true, Restore = true, PINErrors = true}

local purpose = actionParams["purpose"]
if purpose == nil or purpose == "" then
  purpose = fitting[state]
end
if purpose == nil then
  error("no code is of use to an account that is " .. state, 0)
end
if not known[purpose] then
  error("purpose must be Enrollment, AddDevice, Unlock, Restore or PINErrors, not " .. purpose, 0)
end
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["trustbuilder-mfa.dev/issue-code"] = purpose .. "/argocd-" .. os.date("!%Y-%m-%dT%XZ")
return obj
