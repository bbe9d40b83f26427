"""`frankpledge keys`, its second half: giving the linkage key to other members, and a new one for a new epoch."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from frankpledge import profile as profiles
from frankpledge.cli.setup import PATH, key_options, open_key, open_pool, passphrase, with_profile
from frankpledge.cli.setup import fingerprint as known_by
from frankpledge.errors import KitError
from frankpledge.profile import Profile

if TYPE_CHECKING:
    from frankpledge.agreement import Identity
    from frankpledge.client import Pool
    from frankpledge.keys import LinkageKey
    from frankpledge.results import KeyOffer, Recipient

Command = TypeVar("Command", bound=Callable[..., Any])
_FILE = click.option(
    "--identity", "identity_file", type=PATH, metavar="FILE", help="The identity, instead of the usual."
)
_WORDS = click.option("--identity-passphrase-file", "words", type=PATH, metavar="FILE", help="Where its passphrase is.")


def with_identity(command: Command) -> Command:
    """Add the options that name the own identity, which the command is given as `identity`."""

    @_FILE
    @_WORDS
    @functools.wraps(command)
    def wrapped(*, identity_file: Path | None, words: Path | None, **options: Any) -> Any:
        return command(identity=_open_identity(identity_file, words), **options)

    return wrapped  # type: ignore[return-value] # click needs the function, not its exact type


@click.group("identity")
def identity_group() -> None:
    """Make, show and publish the own identity: the key pair by which other members' keys reach you."""


@identity_group.command("init")
@_FILE
@_WORDS
@click.option("--protect", is_flag=True, help="Seal the identity under a passphrase.")
def init_identity(*, identity_file: Path | None, words: Path | None, protect: bool) -> None:
    """Make a new identity in a new file that only you can read."""
    from frankpledge import agreement  # noqa: PLC0415 - keeps --help quick

    secret = needed(passphrase(words, confirm=True)) if protect or words else None
    path = identity_file or profiles.default_identity_file()
    _show_identity(agreement.create(path, secret))
    click.echo(f"file         {path}")


@identity_group.command("show")
@with_identity
def show_identity(*, identity: Identity) -> None:
    """Show the public key and its fingerprint, which other members compare before they offer you a key."""
    _show_identity(identity)


@identity_group.command("publish")
@with_profile
@with_identity
def publish(*, profile: Profile, identity: Identity) -> None:
    """Give the public key to the pool, where other members find it."""
    with open_pool(profile) as pool:
        pool.publish(identity.recipient)
    _show_identity(identity)
    click.echo("It is published. Tell the fingerprint to the other members by another way than the pool.")


@click.command("recipients")
@with_profile
def recipients(*, profile: Profile) -> None:
    """List the public keys of the members, and whether you compared their fingerprints."""
    from frankpledge.agreement import fingerprint  # noqa: PLC0415 - keeps --help quick

    with open_pool(profile) as pool:
        found = pool.recipients()
    pins = _pins(profile)
    for each in found:
        digits, pin = fingerprint(each.recipient), pins.get(each.member)
        known = "compared" if pin is not None and pin.fingerprint == digits else "CHANGED" if pin else "not compared"
        click.echo(f"{each.member}  {digits}  {known:12}  {each.name}")


@click.command("offer")
@click.argument("member", metavar="MEMBER")
@click.option("--fingerprint", "told", metavar="DIGITS", help="The fingerprint as the member itself told it to you.")
@with_profile
@key_options
def offer(
    *, profile: Profile, key_file: Path | None, passphrase_file: Path | None, member: str, told: str | None
) -> None:
    """Seal the linkage key to a MEMBER, given by name or id; the pool carries it and cannot open it.

    The fingerprint of its public key must be compared first, by another way than the pool: whoever runs the pool could
    put a key of its own in the place of the member's. It is remembered, and asked for again when it changes.
    """
    key = open_key(key_file or profile.key_file, passphrase_file)
    with open_pool(profile) as pool:
        to = _recipient(pool.recipients(), member)
        compare(profile, to, told)
        made = _send(pool, key, to)
    click.echo(f"{made.id}  key {key.fingerprint} of epoch {key.epoch} is offered to {to.name}")
    click.echo(f"check        {key.check}\nTell them the check by another way than the pool: they are asked for it.")


@click.command("offers")
@with_profile
def offers(*, profile: Profile) -> None:
    """List the keys that were offered to you, and those that you offered."""
    with open_pool(profile) as pool:
        for each in pool.key_offers():
            how = "from" if each.received else "to"
            state = f"accepted {each.accepted_at[:10]}" if each.accepted_at else f"open until {each.expires_at[:10]}"
            click.echo(f"{each.id}  key {each.fingerprint} of epoch {each.epoch} {how} {each.name}, {state}")


@click.command("accept")
@click.argument("offer_id", metavar="OFFER")
@click.option("--check", "told", metavar="DIGITS", help="The check of the key as the member itself told it to you.")
@click.option("--protect", is_flag=True, help="Seal the key under a passphrase.")
@with_profile
@with_identity
@key_options
def accept(
    *,
    profile: Profile,
    identity: Identity,
    key_file: Path | None,
    passphrase_file: Path | None,
    offer_id: str,
    told: str | None,
    protect: bool,
) -> None:
    """Open a key that was offered to you and store it in a new file, after its check was compared.

    The check must come from the other member by another way than the pool: age does not say who sealed a key, and one
    that whoever runs the pool made up would let it read what you encode.
    """
    from frankpledge import agreement, keys  # noqa: PLC0415 - keeps --help quick

    path = key_file or profile.key_file
    if path.exists():
        raise KitError(f"{path} exists already.", "Give another path with --key-file, or move the old file away first.")
    with open_pool(profile) as pool:
        found = pool.key_offer(offer_id)
        if not found.received or found.sealed is None:
            raise KitError("There is nothing to open in that offer.", "It is your own, or was accepted already.")
        sealed = agreement.decoded(found.sealed)
        key = agreement.unseal(sealed, identity, fingerprint=found.fingerprint, epoch=found.epoch)
        _refuse_unknown(pool, profile, key)
        confirm(f"The check of the key that {found.name} told you", told, key.check, "--check")
        keys.store(path, key, needed(passphrase(passphrase_file, confirm=True)) if protect or passphrase_file else None)
        click.echo(f"fingerprint  {key.fingerprint}\nepoch        {key.epoch}\nfile         {path}")
        pool.accept_key(offer_id)


@click.command("withdraw")
@click.argument("offer_id", metavar="OFFER")
@with_profile
def withdraw(*, profile: Profile, offer_id: str) -> None:
    """Withdraw a key that you offered, or decline one that was offered to you."""
    with open_pool(profile) as pool:
        pool.withdraw_key(offer_id)
    click.echo(f"{offer_id}  withdrawn")


@click.command("rotate")
@click.argument("target", type=PATH, metavar="FILE")
@click.option("--without", "leavers", multiple=True, metavar="MEMBER", help="Who gets no copy; repeatable.")
@click.option("--new-passphrase-file", type=PATH, metavar="FILE", help="Where the passphrase of the new key is.")
@click.option("--protect", is_flag=True, help="Seal the new key under a passphrase.")
@with_profile
@key_options
def rotate(
    *,
    profile: Profile,
    key_file: Path | None,
    passphrase_file: Path | None,
    target: Path,
    leavers: tuple[str, ...],
    new_passphrase_file: Path | None,
    protect: bool,
) -> None:
    """Make the key of the next epoch in a new FILE, and offer it to every member whose fingerprint you compared.

    One member does so when another has left. The key in use stays: the pool accepts both for as long as its operator
    says, while every member files its records again under the new one.
    """
    from frankpledge import keys  # noqa: PLC0415 - keeps --help quick

    old = open_key(key_file or profile.key_file, passphrase_file)
    ask = protect or new_passphrase_file is not None
    secret = passphrase(new_passphrase_file, confirm=True, prompt="Passphrase of the new key") if ask else None
    with open_pool(profile) as pool:
        there = pool.recipients()
        without = {_recipient(there, each).member for each in leavers}
        key = keys.create(target, needed(secret) if ask else None, epoch=old.epoch + 1)
        click.echo(
            f"fingerprint  {key.fingerprint}\nepoch        {key.epoch}\ncheck        {key.check}\nfile         {target}"
        )
        left = _offer_to_all(profile, pool, key, [each for each in there if each.member not in without])
    click.echo(
        "Have the operator accept it beside the old one:\n"
        f"  frankpledge-admin fingerprint add {known_by(profile, key)} --epoch {key.epoch}"
        f" --replaces {known_by(profile, old)}"
    )
    for each in left:
        click.echo(f"Not offered yet, compare first: frankpledge keys offer {each.member} --key-file {target}")


@click.command("progress")
@with_profile
def progress(*, profile: Profile) -> None:
    """Show how many of your filings are under which linkage key, and until when each is accepted."""
    with open_pool(profile) as pool:
        for each in pool.epochs():
            state = f"accepted until {each.until[:10]}" if each.until else "accepted"
            epoch = f"epoch {each.epoch}" if each.epoch is not None else "no epoch"
            shown = state if each.accepted else "no longer accepted"
            click.echo(f"{each.fingerprint}  {epoch:9}  {shown:25}  {each.filings} filings of {each.schema}")


COMMANDS = (identity_group, recipients, offer, offers, accept, withdraw, rotate, progress)


def needed(secret: str | None) -> str:
    """A passphrase where one was asked for. Raises KitError."""
    if secret is None:
        raise KitError("A passphrase is needed.", "Give the file that has it, or FRANKPLEDGE_PASSPHRASE.")
    return secret


def _open_identity(path: Path | None, words: Path | None) -> Identity:
    from frankpledge import agreement  # noqa: PLC0415 - keeps --help quick

    path = path or profiles.default_identity_file()
    sealed = agreement.is_protected(path)
    return agreement.load(path, passphrase(words, prompt="Passphrase of the identity") if sealed else None)


def _show_identity(identity: Identity) -> None:
    click.echo(f"recipient    {identity.recipient}\nfingerprint  {identity.fingerprint}")


def _pins(profile: Profile) -> Any:
    from frankpledge.pins import Pins  # noqa: PLC0415 - keeps --help quick

    return Pins(profiles.default_pins_file(), profile.address())


def _recipient(found: Iterable[Recipient], member: str) -> Recipient:
    """The one member of this id or name."""
    fits = [each for each in found if member in (each.member, each.name)]
    if len(fits) != 1:
        raise KitError("No one member of that name has published a public key.", "See `frankpledge keys recipients`.")
    return fits[0]


def compare(profile: Profile, to: Recipient, told: str | None) -> None:
    """Go on only with a public key whose fingerprint was compared, now or before; remember it."""
    from frankpledge.agreement import fingerprint  # noqa: PLC0415 - keeps --help quick
    from frankpledge.pins import Pin  # noqa: PLC0415 - the same

    pins, now = _pins(profile), Pin(to.name, fingerprint(to.recipient))
    before = pins.get(to.member)
    if before == now and told is None:
        return
    if before is not None and before != now:
        click.echo(f"{to.name} is known with another public key or name ({before.name}).", err=True)
    confirm(f"The fingerprint that {to.name} told you", told, now.fingerprint, "--fingerprint")
    pins.put(to.member, now)


def confirm(prompt: str, told: str | None, shown: str, option: str) -> None:
    """Have what another person told typed, rather than a yes to what is shown."""
    from frankpledge.agreement import same  # noqa: PLC0415 - keeps --help quick

    if told is None and sys.stdin.isatty():
        told = str(click.prompt(prompt, err=True))
    if told is None:
        raise KitError(
            f"It was not compared: {prompt[0].lower()}{prompt[1:]} is needed.",
            f"Ask them by telephone or in person, and give it by {option}.",
        )
    if not same(told, shown):
        raise KitError(
            "It is not the same: somebody may have put another key in its place.",
            "Do not go on. Compare again with the member, by another way than the pool.",
        )


def _send(pool: Pool, key: LinkageKey, to: Recipient) -> KeyOffer:
    from frankpledge.agreement import seal  # noqa: PLC0415 - keeps --help quick

    return pool.offer_key(to, key.fingerprint, key.epoch, seal(key, to.recipient))


def _offer_to_all(profile: Profile, pool: Pool, key: LinkageKey, members: Iterable[Recipient]) -> list[Recipient]:
    """Offer to those whose fingerprint was compared before; the others."""
    from frankpledge.agreement import fingerprint  # noqa: PLC0415 - keeps --help quick
    from frankpledge.pins import Pin  # noqa: PLC0415 - the same

    pins, left = _pins(profile), []
    for each in members:
        if each.own:
            continue
        if pins.get(each.member) != Pin(each.name, fingerprint(each.recipient)):
            left.append(each)
            continue
        click.echo(f"{_send(pool, key, each).id}  is offered to {each.name}")
    return left


def _refuse_unknown(pool: Pool, profile: Profile, key: LinkageKey) -> None:
    own = known_by(profile, key)
    if own not in pool.scheme().keys:
        raise KitError(
            f"The pool does not accept the key {own}.",
            "Do not use it before the operator has entered it, and the other members say that it is theirs.",
        )
