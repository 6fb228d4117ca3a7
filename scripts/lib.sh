# shellcheck shell=bash
# Set-up that the scripts share; source it. Does only what is missing, and prints nothing if nothing is.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

say() { printf '==> %s\n' "$*"; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# set_up [tests]: reports what is missing and cannot be installed before npm takes its minute.
set_up() {
  require_node
  require_own_folder
  require_redis
  if [[ ${1:-} == tests ]]; then require_chromium; fi
  create_postgres_user
  install_redis
  if [[ ${1:-} == tests ]]; then
    install_chromium
    install_pgbouncer
  fi
  install_packages
}

require_node() {
  have node || fail 'Node.js is missing: install 20.19 or later from https://nodejs.org or with your package manager'
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    fail "Node.js 20.19 or later is required, but this is $(node --version): get it from https://nodejs.org"
  have npm || fail 'npm is missing: it comes with Node.js from https://nodejs.org; some distributions have a separate package, npm'
}

# An earlier run as root leaves folders that an ordinary user cannot write.
require_own_folder() {
  local folder
  for folder in . node_modules dist; do
    if [[ -e $folder && ! -w $folder ]]; then
      fail "$(id -un) cannot write $(pwd)/$folder; it belongs to $(stat -c %U "$folder" 2>/dev/null || stat -f %Su "$folder"):" \
        "run this as that user, or change the owner of the checkout (chown -R $(id -un) $(pwd))"
    fi
  done
}

install_packages() {
  # A link leads to packages that others use, too, and npm ci would delete them.
  if [[ -L node_modules ]]; then return; fi
  # npm writes this file last, so that an interrupted installation is repeated.
  local installed=node_modules/.package-lock.json
  if [[ ! -e $installed || package-lock.json -nt $installed ]]; then
    say 'Installing packages (npm ci; shows only errors: warnings that some packages want Node.js 22 do not matter)'
    # Even with NODE_ENV=production: the build needs the development packages.
    npm ci --include=dev --include=optional --no-audit --no-fund --loglevel=error
    touch "$installed"
  fi
}

require_redis() {
  if [[ -n ${REDIS_URL:-} ]] || have_redis || can_install; then return; fi
  fail "$REDIS_MISSING"
}

install_redis() {
  if [[ -n ${REDIS_URL:-} ]] || have_redis; then return; fi
  { install_program redis-server redis && have_redis; } || fail "$REDIS_MISSING"
}

REDIS_MISSING='redis-server or valkey-server is required and cannot be installed automatically. Install one ("apt-get install redis-server", "brew install redis", "dnf install valkey"), or set REDIS_URL'

have_redis() { have redis-server || have valkey-server; }

# PostgreSQL refuses to run as root. The server creates no users: it only reports a missing one.
create_postgres_user() {
  if [[ $EUID -ne 0 ]] || id postgres >/dev/null 2>&1; then return; fi
  say 'Creating the system user postgres to run PostgreSQL'
  useradd --system --user-group --no-create-home --shell /usr/sbin/nologin postgres ||
    fail 'cannot create the system user postgres: create it yourself, or run this as an ordinary user'
}

CHROMIUM_MISSING='chromium is missing and cannot be installed automatically. Install it ("apt-get install chromium", "brew install chromium")'

require_chromium() {
  have_chromium || can_install || fail "$CHROMIUM_MISSING"
}

# Only for tests that need a browser.
install_chromium() {
  if have_chromium; then return; fi
  { install_program chromium chromium && have_chromium; } || fail "$CHROMIUM_MISSING"
}

# Its tests are skipped without it.
install_pgbouncer() {
  if [[ -x /usr/sbin/pgbouncer ]] || ! have apt-get || ! can_install; then return; fi
  install_program pgbouncer pgbouncer || say 'PgBouncer cannot be installed: its tests are skipped'
}

have_chromium() { have chromium || have chromium-browser || have google-chrome; }

# Whether install_program will probably work.
can_install() {
  if have apt-get; then [[ $EUID -eq 0 ]] || { have sudo && { [[ -t 0 ]] || sudo -n true 2>/dev/null; }; }; else have brew; fi
}

# install_program <Debian package> <Homebrew formula>
install_program() {
  if have apt-get; then
    say "Installing $1 (apt-get)"
    as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$1"
  elif have brew; then
    say "Installing $2 (brew)"
    brew install --quiet "$2"
  else
    return 1
  fi
}

as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif ! have sudo; then
    return 1
  elif [[ -t 0 ]]; then
    sudo "$@"
  else
    # Do not ask for a password.
    sudo -n "$@"
  fi
}

build() {
  # Include folders: only they show that a file was deleted.
  if [[ -e dist/.built && -z $(find src package-lock.json tsconfig*.json nest-cli.json .swcrc -newer dist/.built -print -quit) ]]; then
    return
  fi
  say 'Building'
  local began
  began=$(mktemp)
  npm run --silent build
  # The build's start time: files saved during it are built next time.
  mv "$began" dist/.built
}

# wants_help "$@": whether the arguments ask for help, which needs nothing installed.
wants_help() {
  local argument
  for argument in "$@"; do
    case $argument in -h | --help) return 0 ;; esac
  done
  return 1
}
