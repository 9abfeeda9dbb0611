#include "storm_workflow.hpp"

#include <fmt/format.h>

namespace kernmill::testing {
namespace {

constexpr const char* begin =
    R"(echo "begin $KERNMILL_STAGE $KERNMILL_INSTANCE $KERNMILL_ATTEMPT" >> $KERNMILL_RUN/ledger)";
constexpr const char* end =
    R"(echo "end $KERNMILL_STAGE $KERNMILL_INSTANCE $KERNMILL_ATTEMPT" >> $KERNMILL_RUN/ledger)";

std::string matrix() {
  std::string list;
  for (unsigned i = 0; i < instances_of_an_array; ++i) list += fmt::format("{}{}", i > 0 ? ", " : "", i);
  return "{i: [" + list + "]}";
}

}  // namespace

std::string storm_workflow(bool packed) {
  return fmt::format(R"yaml(name: storm
defaults:
  resources: {{time: 5m, mem: 60M}}
stages:
  prepare:
    task: preprocess
    input: "{data}/iris.csv"
    target: species
    split: {{every: 5, offset: 4}}
    scale: standard
    resources: {{mem: 200M}}
  fit:
    task: train
    data: prepare
    model: {{type: mlp, hidden: [16], activation: relu, l2: 1e-4}}
    optimizer: {{type: adam, learning_rate: 1e-3, epochs: 400, batch_size: 10}}
    seed: 3
    checkpoint: {{every: 20}}
    resources: {{ntasks: 2, mem: 200M}}
  score:
    task: evaluate
    model: fit
    data: prepare
    resources: {{mem: 200M}}
  many:
    matrix: {matrix}
    pack: {pack}
    retries: {{max: 2, on: [error]}}
    outputs: [value]
    run: |
      {begin}
      sleep 0.$((KERNMILL_MATRIX_I * 7 % 10))
      if [ $((KERNMILL_MATRIX_I % 4)) = 1 ] && [ ! -e "$KERNMILL_RUN/failed-$KERNMILL_INSTANCE" ]; then
        touch "$KERNMILL_RUN/failed-$KERNMILL_INSTANCE"
        exit 7
      fi
      echo $((KERNMILL_MATRIX_I * 2)) > "$KERNMILL_OUTPUT/value"
      {end}
  each:
    matrix: {matrix}
    pack: {pack}
    env: {{VALUE: "${{{{ stages.many.value }}}}"}}
    run: |
      {begin}
      test "$(cat "$VALUE")" = $((KERNMILL_MATRIX_I * 2))
      {end}
  gather:
    needs: many
    run: |
      {begin}
      test "$(grep '^end many ' "$KERNMILL_RUN/ledger" | cut -d ' ' -f 3 | sort -u | wc -l)" = {count}
      sleep 0.2
      {end}
  last:
    needs: [gather, score, each]
    run: |
      {begin}
      {end}
)yaml",
                     fmt::arg("data", WORKFLOW_DATA), fmt::arg("matrix", matrix()),
                     fmt::arg("pack", packed ? 4 : 1), fmt::arg("count", instances_of_an_array),
                     fmt::arg("begin", begin), fmt::arg("end", end));
}

}  // namespace kernmill::testing
