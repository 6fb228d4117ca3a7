# shellcheck shell=bash
# Set-up that the scripts share; to be sourced. Does only what is missing, and is silent when nothing is.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

say() { printf '==> %s\n' "$*"; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

set_up() {
  require_node
  install_packages
  install_redis
  create_postgres_user
}

require_node() {
  have node || fail 'Node.js is missing: install 20.19 or later, from https://nodejs.org or by your package manager'
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    fail "Node.js 20.19 or later is needed, this is $(node --version): get one from https://nodejs.org"
  have npm || fail 'npm is missing: it comes with Node.js from https://nodejs.org; some distributions have it as a package, npm'
}

install_packages() {
  # A link leads to packages that are somebody else's too, and npm ci would empty them.
  if [[ -L node_modules ]]; then return; fi
  # npm writes this file last, so that an interrupted installation is done again.
  local installed=node_modules/.package-lock.json
  if [[ ! -e $installed || package-lock.json -nt $installed ]]; then
    say 'Installing packages (npm ci)'
    # Even where NODE_ENV=production: the build needs the development packages.
    npm ci --include=dev --include=optional --no-audit --no-fund
    touch "$installed"
  fi
}

install_redis() {
  if [[ -n ${REDIS_URL:-} ]] || have_redis; then return; fi
  { install_program redis-server redis && have_redis; } ||
    fail 'neither redis-server nor valkey-server is here, and it could not be installed. Install one' \
      '("apt-get install redis-server", "brew install redis", "dnf install valkey"), or set REDIS_URL'
}

have_redis() { have redis-server || have valkey-server; }

# PostgreSQL refuses to run as root. The server itself creates no users: it only says which one is missing.
create_postgres_user() {
  if [[ $EUID -ne 0 ]] || id postgres >/dev/null 2>&1; then return; fi
  say 'Creating the system user postgres, which PostgreSQL runs as'
  useradd --system --user-group --no-create-home --shell /usr/sbin/nologin postgres ||
    fail 'the system user postgres could not be created: create it, or run this as an ordinary user'
}

# For tests that need a browser; others do without.
install_chromium() {
  if have_chromium; then return; fi
  { install_program chromium chromium && have_chromium; } ||
    fail 'chromium is missing, and could not be installed. Install it ("apt-get install chromium", "brew install chromium")'
}

have_chromium() { have chromium || have chromium-browser || have google-chrome; }

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
    # Nobody is there to type a password.
    sudo -n "$@"
  fi
}

build() {
  # Folders count too: theirs is the only trace of a file that was deleted.
  if [[ -e dist/.built && -z $(find src package-lock.json tsconfig*.json nest-cli.json .swcrc -newer dist/.built -print -quit) ]]; then
    return
  fi
  say 'Building'
  local began
  began=$(mktemp)
  npm run --silent build
  # As of the moment the build began: what was saved during it is built next time.
  mv "$began" dist/.built
}
