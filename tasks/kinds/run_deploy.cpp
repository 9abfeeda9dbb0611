#include <algorithm>

#include "kernmill/tasks/kinds/deploy.hpp"
#include "kernmill/tasks/kinds/own_files.hpp"
#include "kernmill/tasks/models/predictor.hpp"

namespace kernmill::tasks {

namespace {

/// Some rows at a time, with every number.
void predict_whole(const Predictor& predictor, std::size_t columns, const storage::SparseRows& rows,
                   std::span<double> scores) {
  const auto outputs = static_cast<std::size_t>(predictor.outputs());
  const std::size_t step = std::max<std::size_t>(1, (std::size_t{4} << 20U) / columns);
  std::vector<double> whole;
  for (std::size_t first = 0; first < rows.rows(); first += step) {
    const std::size_t count = std::min<std::size_t>(step, rows.rows() - first);
    whole.assign(count * columns, 0);
    for (std::size_t i = 0; i < count; ++i)
      for (std::uint64_t at = rows.begins[first + i]; at < rows.begins[first + i + 1]; ++at)
        whole[i * columns + rows.columns[at]] = rows.values[at];
    predictor.predict(whole, count, scores.subspan(first * outputs, count * outputs));
  }
}

}  // namespace

Result run_deploy(const Spec& spec, const Communicator& comm) {
  const storage::Model model = read_model(comm, spec, "model");
  const Predictor predictor(model);
  const std::size_t columns = model.schema.features.size();
  const Scorer scorer{
      [&](auto features, auto rows, auto scores) { predictor.predict(features, rows, scores); },
      static_cast<std::size_t>(predictor.outputs()), predictor.gives_probabilities(),
      [&](const auto& rows, auto scores) { predict_whole(predictor, columns, rows, scores); }};
  return deploy(spec, comm, model.schema, scorer);
}

}  // namespace kernmill::tasks
