-- Health of an MFAUser. Healthy means that the operator has done what the manifest asks; what the person has yet to do
-- stands in the message and never makes it less than Healthy.
local conditions = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    conditions[condition.type] = condition
  end
end
local ready = conditions["Ready"]

local function health(status, message)
  return {status = status, message = message}
end

-- Argo CD itself says "Pending deletion" of an object that is being deleted, unless the object is a hook.
if obj.metadata.deletionTimestamp ~= nil then
  if ready ~= nil and ready.status == "False" then
    return health("Progressing", "Being deleted. " .. ready.reason .. ": " .. ready.message)
  end
  return health("Progressing", "Being deleted; the account is dealt with as deletionPolicy says")
end
if obj.spec.suspend then
  return health("Suspended", "spec.suspend is true; nothing is done until it is false")
end
if ready == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "The operator has not looked at this manifest yet; if that lasts, see whether it runs")
end

local message = ready.reason .. ": " .. ready.message
if conditions["Stalled"] ~= nil and conditions["Stalled"].status == "True" then
  return health("Degraded", message)
end
if ready.status ~= "True" then
  return health("Progressing", message)
end
local enrolled, code = conditions["Enrolled"], conditions["CodeReady"]
if enrolled ~= nil and enrolled.status ~= "True" then
  message = message .. ". " .. enrolled.reason .. ": " .. enrolled.message
end
-- Codes that need somebody to ask for another.
if code ~= nil and (code.reason == "CodeExpired" or code.reason == "CodeLost" or code.reason == "CodeRefused") then
  message = message .. ". " .. code.reason .. ": " .. code.message
end
return health("Healthy", message)
