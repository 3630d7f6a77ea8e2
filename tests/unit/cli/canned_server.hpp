// A server on loopback that answers what the test wrote down, and the client run against it.
#pragma once

#include <httplib.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/client.hpp"

namespace reclaim::cli {

inline constexpr const char* kSecret = "rct-0123456789-secret";

struct Canned {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
};

class CannedServer {
 public:
  CannedServer() {
    const auto handle = [this](const httplib::Request& request, httplib::Response& response) { answer(request, response); };
    server_.Get(".*", handle).Post(".*", handle).Put(".*", handle).Delete(".*", handle);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~CannedServer() { server_.stop(); }

  // Answers to `GET /path?query`; several for one line are given in turn, the last one for good.
  void on(const std::string& line, Canned canned) { canned_[line].push_back(std::move(canned)); }
  void on(const std::string& line, const std::string& body) { on(line, Canned{200, body}); }

  // What was asked: `POST /path?query body`, in order.
  std::vector<std::string> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  std::string authorization() const {
    const std::lock_guard lock(mutex_);
    return authorization_;
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  void answer(const httplib::Request& request, httplib::Response& response) {
    const std::lock_guard lock(mutex_);
    const std::string line = request.method + " " + request.target;
    asked_.push_back(request.body.empty() ? line : line + " " + request.body);
    authorization_ = request.get_header_value("Authorization");
    const auto found = canned_.find(line);
    if (found == canned_.end()) {
      response.status = 404;
      response.set_content(R"({"type":"urn:reclaim:not-found","title":"Not found","status":404,"detail":"nothing at )" + line + "\"}",
                           "application/problem+json");
      return;
    }
    const Canned canned = found->second.front();
    if (found->second.size() > 1) found->second.erase(found->second.begin());
    response.status = canned.status;
    response.set_content(canned.body, canned.content_type);
  }

  httplib::Server server_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<Canned>> canned_;
  std::vector<std::string> asked_;
  std::string authorization_;
  std::jthread thread_;
};

struct Ran {
  int code;
  std::string out;
  std::string err;
};

class TempDirectory {
 public:
  TempDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "reclaim-cli-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TempDirectory() { std::filesystem::remove_all(path_); }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    std::string path = path_ + "/" + name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Runs `reclaim ARGS` with a terminal of `width`; `pauses` is how often it may wait and try again.
inline Ran run_plain(const std::vector<std::string>& args, int width = 100, int pauses = 0) {
  std::ostringstream out;
  std::ostringstream err;
  CommandLine line({out, err, width, false, false, [&pauses](Millis) { return pauses-- > 0; }});
  add_client_commands(line);
  std::vector<const char*> argv{"reclaim"};
  for (const std::string& arg : args) argv.push_back(arg.c_str());
  const int code = line.run(static_cast<int>(argv.size()), argv.data());
  return {code, out.str(), err.str()};
}

}  // namespace reclaim::cli
