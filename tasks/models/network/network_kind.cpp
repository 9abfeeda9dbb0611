#include "kernmill/tasks/models/network/network_kind.hpp"

#include <string>

#include "kernmill/tasks/models/registry.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {

std::unique_ptr<NetworkModel> read_network_model(const Json& model) {
  const ModelKind& kind = model_kind(setting_as<std::string>(model, "type"));
  if (kind.network == nullptr) throw SpecError("spec.json: '" + std::string(kind.type) + "' is no network");
  std::unique_ptr<NetworkModel> read = kind.network->read(model);
  read->kind = &kind;
  return read;
}

}  // namespace kernmill::tasks
