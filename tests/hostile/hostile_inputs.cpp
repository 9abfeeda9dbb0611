#include <cstdint>
#include <fstream>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>

#include "hdf5_tricks.hpp"
#include "hostile_files.hpp"

namespace kernmill::testing {
namespace fs = std::filesystem;
namespace {

std::string npy(const std::string& shape, const std::string& content = "", const char* order = "False",
                const char* type = "<f8") {
  std::string header =
      std::string("{'descr': '") + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size() & 0xff) +
         static_cast<char>(header.size() >> 8) + header + content;
}

std::string idx(const std::vector<std::uint32_t>& extents, const std::string& content = "") {
  std::string bytes{'\0', '\0', '\x0E', static_cast<char>(extents.size())};
  for (const std::uint32_t extent : extents)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(extent >> shift & 0xff);
  return bytes + content;
}

std::string gzipped(const std::string& text, std::size_t times) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out;
  std::string buffer(1 << 16, '\0');
  for (std::size_t i = 0; i <= times; ++i) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = i < times ? static_cast<uInt>(text.size()) : 0;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream.avail_out = static_cast<uInt>(buffer.size());
      deflate(&stream, i < times ? Z_NO_FLUSH : Z_FINISH);
      out.append(buffer, 0, buffer.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  }
  deflateEnd(&stream);
  return out;
}

void listen_at(const fs::path& file) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = file.string();
  if (name.size() >= sizeof address.sun_path) return;  // the next best thing: nothing is there
  name.copy(static_cast<char*>(address.sun_path), name.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  (void)bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  close(fd);
}

std::vector<HostileFile> hdf5_inputs(const fs::path& directory, const fs::path& secret) {
  std::vector<HostileFile> files;
  const auto add = [&](const std::string& name, const std::string& told, const auto& fill) {
    files.push_back({directory / ("input_" + name + ".h5"), told});
    make_hdf5(files.back().file, [&](hid_t f) {
      put_chunked(f, "sound", H5T_IEEE_F64LE, {4, 2}, {4, 2});
      fill(f);
    });
  };
  const fs::path elsewhere = directory / "elsewhere.h5", pipe = directory / "elsewhere.pipe";
  make_hdf5(elsewhere, [](hid_t f) { put_chunked(f, "content", H5T_IEEE_F64LE, {4, 2}, {4, 2}); });
  mkfifo(pipe.c_str(), 0600);
  const hid_t f64 = H5T_IEEE_F64LE;
  add("external", "'t'", [&](hid_t f) { put_external(f, "t", f64, {4, 2}, secret); });
  add("external_pipe", "'t'", [&](hid_t f) { put_external(f, "t", f64, {4, 2}, pipe); });
  add("virtual", "'t'", [&](hid_t f) { put_virtual(f, "t", f64, {4, 2}, elsewhere); });
  add("virtual_pipe", "'t'", [&](hid_t f) { put_virtual(f, "t", f64, {4, 2}, pipe); });
  add("external_link", "'t'", [&](hid_t f) { put_external_link(f, "t", elsewhere, "content"); });
  add("link_to_a_pipe", "'t'", [&](hid_t f) { put_external_link(f, "t", pipe, "content"); });
  add("link_to_a_device", "'t'", [](hid_t f) { put_external_link(f, "t", "/dev/zero", "content"); });
  add("soft_link_that_leaves", "'t'", [&](hid_t f) {
    const hid_t group = H5Gcreate2(f, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put_external_link(f, "g/away", elsewhere, "/");
    H5Gclose(group);
    put_soft_link(f, "t", "/g/away/content");
  });
  add("soft_links_in_a_circle", "'s'", [](hid_t f) {
    put_soft_link(f, "s", "/t");
    put_soft_link(f, "t", "/s");
  });
  add("link_of_a_user", "'t'", [](hid_t f) { put_user_link(f, "t"); });
  with_foreign_filter([&] {
    add("filter_of_a_plugin", "'t'", [&](hid_t f) {
      put_chunked(f, "t", f64, {4, 2}, {4, 2}, foreign_filter);
    });
  });
  add("vast", "'t'", [&](hid_t f) { put_chunked(f, "t", f64, {(hsize_t{1} << 61) + 1, 2}, {4, 2}); });
  add("vast_chunk", "", [&](hid_t f) {
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE),
                space = H5Screate_simple(2, Shape{4, 2}.data(), Shape{H5S_UNLIMITED, H5S_UNLIMITED}.data());
    H5Pset_chunk(list, 2, Shape{20'000, 20'000}.data());
    H5Dclose(H5Dcreate2(f, "t", f64, space, H5P_DEFAULT, list, H5P_DEFAULT));
    H5Sclose(space);
    H5Pclose(list);
  });
  add("no_columns", "'t'", [&](hid_t f) { put_contiguous(f, "t", f64, {4, 0}); });
  add("no_rows", "'t'", [&](hid_t f) { put_contiguous(f, "t", f64, {0, hsize_t{1} << 22}); });
  add("vast_element", "", [&](hid_t f) {
    const hid_t type = H5Tcopy(H5T_STD_U8LE);
    H5Tset_size(type, 1 << 20);
    put_contiguous(f, "t", type, {4});
    H5Tclose(type);
  });
  return files;
}

}  // namespace

std::vector<HostileFile> hostile_inputs(const fs::path& directory, const fs::path& secret) {
  std::vector<HostileFile> files = hdf5_inputs(directory, secret);
  const auto add = [&](const std::string& name, const std::string& told, const std::string& bytes) {
    files.push_back({directory / ("input_" + name), told});
    std::ofstream(files.back().file, std::ios::binary) << bytes;
  };
  const std::string numbers(64, '\0');
  add("no_columns.npy", "columns", npy("(3, 0)"));
  add("no_rows.npy", "rows", npy("(0, 3)"));
  add("no_rows_of_many.npy", "rows", npy("(0, 16777216)"));
  add("nothing.npy", "", npy("(0, 0)"));
  add("that_wraps.npy", "", npy("(2305843009213693953, 8)", numbers));
  add("of_no_end.npy", "", npy("(4, 2", numbers));
  add("negative.npy", "", npy("(-4, 2)", numbers));
  add("of_many_dimensions.npy", "",
      npy(
          "(" +
              [] {
                std::string ones;
                for (int i = 0; i < 20'000; ++i) ones += "1,";
                return ones;
              }() +
              "8)",
          numbers));
  add("cubic.npy", "", npy("(2, 2, 2)", numbers, "True"));
  add("of_objects.npy", "", npy("(2,)", "\x80\x03cos\nsystem\nq", "False", "|O"));
  add("no_columns-ubyte", "columns", idx({3, 0}));
  add("no_rows-ubyte", "rows", idx({0, 3}));
  add("that_wraps-ubyte", "", idx({0x80000000, 0x80000000, 4}, numbers));
  add("of_many_dimensions-ubyte", "", idx(std::vector<std::uint32_t>(255, 1), std::string(8, '\0')));
  add("columns.csv", "", std::string(3'000'000, ',') + "\n" + std::string(3'000'000, ','));
  add("quote.csv", "", "a,b\n\"" + std::string(3'000'000, 'x'));
  add("nul.csv", "", std::string("a,b\n1,\0\n", 8));
  add("index.svm", "", "1 18446744073709551615:1\n0 1:1\n");
  add("wide.svm", "", "1 4000000000:1\n0 1:1\n");
  add("bomb.csv.gz", "expand", gzipped(std::string(1 << 20, '0'), 100));
  add("bomb_of_rows.csv.gz", "expand", gzipped("1\n" + std::string(1 << 20, '\n'), 66));
  add("garbage.csv.gz", "cannot be expanded", std::string("\x1F\x8B\x08\0\0\0\0\0\0\x03", 10) + numbers);
  add("cut.csv.gz", "cannot be expanded", gzipped("a,b\n1,2\n", 1000).substr(0, 30));
  add("array_in.npy.gz", "columns", gzipped(npy("(3, 0)"), 1));
  files.push_back({directory / "input_pipe.csv", "regular file"});
  mkfifo(files.back().file.c_str(), 0600);
  files.push_back({directory / "input_pipe.npy", "regular file"});
  mkfifo(files.back().file.c_str(), 0600);
  files.push_back({directory / "input_pipe.h5", "regular file"});
  mkfifo(files.back().file.c_str(), 0600);
  files.push_back({directory / "input_device.csv", "regular file"});
  fs::create_symlink("/dev/zero", files.back().file);
  files.push_back({directory / "input_socket.csv", ""});
  listen_at(files.back().file);
  return files;
}

}  // namespace kernmill::testing
