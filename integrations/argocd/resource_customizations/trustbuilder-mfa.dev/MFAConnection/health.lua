-- Health of an MFAConnection. What somebody should look at while it works (a token that runs out, removals that are held)
-- stands in the message.
local conditions = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    conditions[condition.type] = condition
  end
end
local ready = conditions["Ready"]

local function health(status, message)
  for _, kind in ipairs({"ChangesHeld", "TokenExpiring", "ListingStale"}) do
    local also = conditions[kind]
    if also ~= nil and also.status == "True" then
      message = message .. ". " .. kind .. ": " .. also.message
    end
  end
  return {status = status, message = message}
end

-- Argo CD itself says "Pending deletion" of an object that is being deleted, unless the object is a hook.
if obj.metadata.deletionTimestamp ~= nil then
  local deleting = conditions["Deleting"]
  if deleting ~= nil then
    return health("Progressing", "Being deleted. " .. deleting.reason .. ": " .. deleting.message)
  end
  return health("Progressing", "Being deleted; it goes once no MFAUser holds an account through it")
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
return health("Healthy", message)
