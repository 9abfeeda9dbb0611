#include "kernmill/tasks/kinds/deploy.hpp"
#include "kernmill/tasks/kinds/own_files.hpp"
#include "kernmill/tasks/models/registry.hpp"

namespace kernmill::tasks {

Result run_deploy(const Spec& spec, const Communicator& comm) {
  const storage::Model model = read_model(comm, spec, "model");
  return deploy(spec, comm, model.schema, *open_model(model));
}

}  // namespace kernmill::tasks
