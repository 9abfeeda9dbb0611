#include "kernmill/tasks/kinds/deploy.hpp"
#include "kernmill/tasks/kinds/own_files.hpp"
#include "kernmill/tasks/kinds/sparse_columns.hpp"
#include "kernmill/tasks/models/predictor.hpp"

namespace kernmill::tasks {

Result run_deploy(const Spec& spec, const Communicator& comm) {
  const storage::Model model = read_model(comm, spec, "model");
  const Predictor predictor(model);
  const std::size_t columns = model.schema.features.size();
  const Scorer scorer{
      [&](auto features, auto rows, auto scores) { predictor.predict(features, rows, scores); },
      static_cast<std::size_t>(predictor.outputs()), predictor.gives_probabilities(),
      [&](const auto& rows, auto scores) { predict_sparse(predictor, columns, rows, scores); }};
  return deploy(spec, comm, model.schema, scorer);
}

}  // namespace kernmill::tasks
