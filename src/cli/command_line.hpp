// The command line of `reclaim`: a tree of subcommands, each with an action that runs after all of the line was understood.
//
//   CommandLine line(console);
//   add_client_commands(line);
//   CLI::App* server = line.add(nullptr, "server", "Serves.", "reclaim server --data DIR", [&] { return run_server(options); });
//   server->add_option("--data", options.data)->required();
//   return line.run(argc, argv);
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "cli/console.hpp"

namespace reclaim::cli {

// What a process of this executable ends with. 4, superseded, is the worker's alone.
enum ExitCode : int { kDone = 0, kFailed = 1, kUsage = 2, kTemporary = 3 };

class CommandLine {
 public:
  explicit CommandLine(Console console);
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  Console& console() { return console_; }
  CLI::App& app() { return app_; }

  // A command that only holds others. Without a parent it stands at the top.
  CLI::App* group(CLI::App* parent, const std::string& name, const std::string& description);
  // Lets a group do something itself, where none of its commands is named.
  void also(CLI::App* group, const std::string& example, std::function<int()> action);
  // A command that does something; `action` answers the exit code. Its options are added to what this returns, before run().
  CLI::App* add(CLI::App* parent, const std::string& name, const std::string& description, const std::string& example,
                std::function<int()> action);

  // Understands the line and runs its action. Wrong usage is one line on `err` that names the flag, and kUsage.
  int run(int argc, const char* const* argv);

 private:
  int refuse(const CLI::ParseError& error);

  Console console_;
  CLI::App app_;
  std::function<int()> chosen_;
};

// For options: the text is checked while the line is read, so that a mistake is wrong usage and names its flag.
CLI::Validator duration_check();       // `1h30m`; stays text, for parse_duration
CLI::Validator duration_to_seconds();  // becomes the number of seconds; refuses fractions of one
CLI::Validator name_check();           // of a worker
CLI::Validator owner_check();
CLI::Validator resource_check();        // WORKER/HANDLE
CLI::Validator public_key_from_file();  // a file's name becomes the public key in it, `ssh-ed25519 AAAA...` without its comment

}  // namespace reclaim::cli
