#include <array>
#include <vector>

#include <fmt/format.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/workflow/settings/settings.hpp"
#include "kernmill/workflow/settings/settings_reader.hpp"
#include "kernmill/workflow/text/unicode.hpp"

// `storage`: how datasets and checkpoints are read and written.

namespace kernmill {
namespace {

/// Those of the MPI standard (4.0, 14.2.8), and of ROMIO, which most MPIs have.
const std::vector<std::string> known_hints{"access_style",
                                           "cb_block_size",
                                           "cb_buffer_size",
                                           "cb_config_list",
                                           "cb_nodes",
                                           "chunked",
                                           "chunked_item",
                                           "chunked_size",
                                           "collective_buffering",
                                           "direct_read",
                                           "direct_write",
                                           "file_perm",
                                           "ind_rd_buffer_size",
                                           "ind_wr_buffer_size",
                                           "io_node_list",
                                           "nb_proc",
                                           "num_io_nodes",
                                           "romio_cb_alltoall",
                                           "romio_cb_ds_threshold",
                                           "romio_cb_fr_alignment",
                                           "romio_cb_fr_types",
                                           "romio_cb_pfr",
                                           "romio_cb_read",
                                           "romio_cb_write",
                                           "romio_ds_read",
                                           "romio_ds_write",
                                           "romio_lustre_co_ratio",
                                           "romio_lustre_coll_threshold",
                                           "romio_lustre_ds_in_coll",
                                           "romio_no_indep_rw",
                                           "start_iodevice",
                                           "striping_factor",
                                           "striping_unit"};

// MPI promises room for that much (4.0, 10): MPICH takes 255 and 1,024 bytes with the NUL, others have more.
constexpr std::size_t longest_name = 254, longest_value = 1'023;

bool is_known(const std::string& hint) {
  return std::find(known_hints.begin(), known_hints.end(), hint) != known_hints.end();
}

}  // namespace

const Table& storage_settings() {
  static const Table table{
      "'storage'",
      {{.name = "transport",
        .type = SettingType::text,
        .doc = "`posix`: each rank reads and writes its part by itself; `mpiio`: all together, through "
               "MPI-IO; `auto`: by file system and number of nodes",
        .fallback_doc = "`auto`",
        .choices = {"auto", "posix", "mpiio"}},
       {.name = "hints",
        .type = SettingType::hints,
        .doc = "hints for MPI-IO, by name, such as `cb_nodes: 4`; they go before those that fit the file "
               "system"}}};
  return table;
}

std::optional<Json> SettingsReader::hints(const Value& value, const std::string& name) {
  const auto* map = std::get_if<Value::Map>(&value.data);
  if (map == nullptr) return wrong_type(value, name, "a map from names to values, such as {cb_nodes: 4}");
  Json result = Json::object();
  for (const Value::Entry& hint : *map) {
    if (hint.key.empty() || hint.key.size() > longest_name || has_control_character(hint.key)) {
      diagnostics_->error(hint.key_where, "this cannot be the name of a hint",
                          fmt::format("MPI takes names of up to {} bytes, such as cb_nodes", longest_name));
      continue;
    }
    static const Setting text{.name = "hint", .type = SettingType::text, .doc = "", .one_line = true};
    auto converted = convert(text, hint.value, fmt::format("'{}'", hint.key));
    if (!converted) continue;
    if (hint.value.text.empty() || hint.value.text.size() > longest_value) {
      diagnostics_->error(hint.value.where, fmt::format("'{}' is no value of a hint", hint.key),
                          fmt::format("MPI takes texts of 1 to {} bytes", longest_value));
      continue;
    }
    if (const std::string meant = did_you_mean(hint.key, known_hints); !is_known(hint.key) && !meant.empty())
      diagnostics_->warning(hint.key_where,
                            fmt::format("'{}' is no hint that MPI or ROMIO has: MPI passes over what it does "
                                        "not know",
                                        hint.key),
                            meant);
    result[hint.key] = std::move(*converted);
  }
  return result;
}

}  // namespace kernmill
