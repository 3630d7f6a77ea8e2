// The stock OpenSSH client, and raw connections, for the tests of the gateway.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

extern char** environ;

namespace reclaim::test {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "reclaim-gateway-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A child with pipes on its standard streams, killed with its owner.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments) {
    int in[2];
    int out[2];
    int err[2];
    for (int* ends : {in, out, err}) {
      if (::pipe2(ends, O_CLOEXEC) != 0) ::abort();
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    std::vector<char*> words;
    for (std::string& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    if (::posix_spawnp(&pid_, words[0], &actions, nullptr, words.data(), environ) != 0) ::abort();
    posix_spawn_file_actions_destroy(&actions);
    for (const int fd : {in[0], out[1], err[1]}) ::close(fd);
    in_ = in[1];
    out_ = out[0];
    err_ = err[0];
  }
  ~Process() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    close_input();
    ::close(out_);
    ::close(err_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void write(const std::string& text) {
    signal(SIGPIPE, SIG_IGN);
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t wrote = ::write(in_, text.data() + done, text.size() - done);
      if (wrote <= 0) return;
      done += static_cast<std::size_t>(wrote);
    }
  }
  void close_input() {
    if (in_ >= 0) ::close(std::exchange(in_, -1));
  }
  // One line of standard output, without its end; what came until then when there is none within ten seconds.
  std::string line() {
    std::string text;
    for (char byte = 0; next(out_, byte) && byte != '\n';) text += byte;
    return text;
  }
  struct Outcome {
    int status = -1;
    std::string out;
    std::string err;
  };
  Outcome finish() {
    close_input();
    return finish_without_closing();
  }
  Outcome finish_without_closing() {
    Outcome outcome;
    for (char byte = 0; next(out_, byte);) outcome.out += byte;
    for (char byte = 0; next(err_, byte);) outcome.err += byte;
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return outcome;
  }
  pid_t pid() const { return pid_; }

 private:
  static bool next(int fd, char& byte) {
    pollfd readable = {fd, POLLIN, 0};
    return ::poll(&readable, 1, 10'000) == 1 && ::read(fd, &byte, 1) == 1;
  }

  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  int err_ = -1;
};

// A connected TCP socket that says nothing.
class RawConnection {
 public:
  explicit RawConnection(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawConnection() { ::close(fd_); }
  RawConnection(RawConnection&& other) noexcept : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}
  RawConnection& operator=(RawConnection&&) = delete;

  bool connected() const { return connected_; }
  void send(const std::string& bytes) { [[maybe_unused]] const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // All that comes until the other side closes; ends after ten seconds of silence.
  std::string read_to_end() {
    std::string text;
    for (;;) {
      pollfd readable = {fd_, POLLIN, 0};
      char bytes[4096];
      if (::poll(&readable, 1, 10'000) != 1) return text + "(still open)";
      const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
      if (got <= 0) return text;
      text.append(bytes, static_cast<std::size_t>(got));
    }
  }

 private:
  int fd_;
  bool connected_ = false;
};

// True as soon as `holds` is; false when it was not within ten seconds.
template <class Condition>
bool eventually(Condition&& holds) {
  for (int i = 0; i < 2000; ++i) {
    if (holds()) return true;
    ::poll(nullptr, 0, 5);
  }
  return holds();
}

}  // namespace reclaim::test
