"""How an owner's server signs who is signed in, in four languages: shown to be copied. A test runs those it can run."""

from __future__ import annotations

PYTHON = """
import os, time
import jwt  # pip install PyJWT

def usher_token(user):
    now = int(time.time())
    claims = {"sub": str(user.id), "email": user.email, "name": user.name,
              "iat": now, "exp": now + 600}
    secret = os.environ["USHER_IDENTITY_SECRET"]
    return jwt.encode(claims, secret, algorithm="HS256", headers={"kid": "KID"})
"""
NODE = """
const { createHmac } = require("node:crypto");
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function usherToken(user) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: String(user.id), email: user.email, name: user.name,
                   iat: now, exp: now + 600 };
  const text = part({ alg: "HS256", typ: "JWT", kid: "KID" }) + "." + part(claims);
  const secret = process.env.USHER_IDENTITY_SECRET;
  return text + "." + createHmac("sha256", secret).update(text).digest("base64url");
}
"""
PHP = """
use Firebase\\JWT\\JWT; // composer require firebase/php-jwt

function usher_token($user) {
    $now = time();
    $claims = ['sub' => (string) $user->id, 'email' => $user->email, 'name' => $user->name,
               'iat' => $now, 'exp' => $now + 600];
    return JWT::encode($claims, getenv('USHER_IDENTITY_SECRET'), 'HS256', 'KID');
}
"""
RUBY = """
require "jwt" # gem install jwt

def usher_token(user)
  now = Time.now.to_i
  claims = { sub: user.id.to_s, email: user.email, name: user.name,
             iat: now, exp: now + 600 }
  JWT.encode(claims, ENV.fetch("USHER_IDENTITY_SECRET"), "HS256", { kid: "KID" })
end
"""
PAGE = """
<script>
  window.Usher = window.Usher || function () { (Usher.q = Usher.q || []).push(arguments) };
  Usher("identify", "THE TOKEN");   // on every page, while somebody is signed in
  // Usher("reset")                 // when they sign out
</script>
"""
LANGUAGES = {"Python": PYTHON, "Node": NODE, "PHP": PHP, "Ruby": RUBY}


def snippets(kid: str) -> dict[str, str]:
    """Language → code that makes a token good for ten minutes, with this key's id in it."""
    return {name: code.strip().replace("KID", kid) for name, code in LANGUAGES.items()}
