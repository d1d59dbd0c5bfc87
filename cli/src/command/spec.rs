//! `quorate spec`: writes, checks and shows ceremony files.

use std::path::Path;

use serde_json::{Value, json};

use crate::args::{Spec, SpecNew};
use crate::command::verify_cluster::contracts;
use crate::command::{dossier, spec_like, spec_next, spec_pack};
use crate::report::{CliError, Exit, Output, talk};
use crate::{card_file, input, messages, pack, packet, recognise};
use quorate::ethereum::obol::check::Cluster;
use quorate::ethereum::obol::definition::{ClusterDefinition, MOST_BYTES};
use quorate::ethereum::preregistration::Draft;
use quorate::ethereum::ssv::parse_operators_info;
use quorate::identity::card::check_name;
use quorate::spec::canonical::fingerprint;
use quorate::spec::ceremony::LONGEST_NAME;
use quorate::spec::file::{
    AmountText, FILE_VERSION, NetworkEntry, OperatorEntry, PolicyEntry, SsvEntry, ValidatorEntry,
};
use quorate::spec::obol::ceremony_file;
use quorate::spec::pack::Pack;
use quorate::spec::reshare::ReshareSpec;
use quorate::spec::show::{describe, warnings, words};
use quorate::spec::{Ceremony, CeremonyFile, Endpoint};
use quorate_operator::random;

/// Longest operators_info.json.
const MOST_OPERATORS_INFO: usize = 8 << 20;

/// Runs the command.
pub(crate) fn run(args: &Spec, out: &Output) -> Result<Exit, CliError> {
    match args {
        Spec::New(args) => new(args, out),
        Spec::Next(args) => spec_next::run(args, out),
        Spec::Pack(args) => spec_pack::run(args, out),
        Spec::Check { file, policy } => {
            let packs = pack::load_all(policy)?;
            let ceremony = packet::or_file(file)?.ceremony;
            let warnings = warnings(&ceremony);
            let unreachable = unreachable(&ceremony).map(str::to_owned);
            let all = warnings.into_iter().chain(unreachable);
            let all: String = all.map(|warning| format!("\nWARNING: {warning}")).collect();
            let words = words(&ceremony);
            let text = format!("This ceremony file is valid.{all}\n\nFingerprint\n{words}");
            let compared = pack::compare(&packs, &ceremony);
            let mut fields = fields(&ceremony);
            fields["policies"] = compared.json.into();
            let exit = if compared.met { Exit::Done } else { Exit::Finding };
            out.finish(exit, fields, &(text + &compared.text))
        }
        Spec::WalletText(args) => dossier::wallet_text(args, out),
        Spec::Policy { name } => policy(name.as_deref(), out),
        Spec::Show { file } => {
            let ceremony = packet::or_file(file)?.ceremony;
            out.finish(Exit::Done, fields(&ceremony), &describe(&ceremony))
        }
    }
}

/// Lists the packs that are built in, or prints one.
fn policy(name: Option<&str>, out: &Output) -> Result<Exit, CliError> {
    if let Some(name) = name {
        let text = Pack::text(name).ok_or_else(|| messages::unknown_policy(name, false))?;
        return out.finish_whole(Exit::Done, json!({ "name": name, "file": text }), text);
    }
    let packs: Vec<Pack> = Pack::names().filter_map(Pack::built_in).collect();
    let line = |pack: &Pack| format!("{:<18} {}, {}", pack.name(), pack.title(), pack.date());
    let lines: Vec<String> = packs.iter().map(line).collect();
    let value = |pack: &Pack| {
        json!({
            "name": pack.name(), "title": pack.title(), "date": pack.date(),
            "sources": pack.sources(), "not_checked": pack.not_checked(),
        })
    };
    let fields = json!({ "policies": packs.iter().map(value).collect::<Vec<_>>() });
    out.finish(Exit::Done, fields, &lines.join("\n"))
}

fn new(args: &SpecNew, out: &Output) -> Result<Exit, CliError> {
    input::must_be_free(&args.output)?;
    let mut file = file(args)?;
    if let (Some(owner), Some(nonce), Some(operators)) =
        (&args.ssv_owner, args.ssv_nonce, &args.ssv_operators)
    {
        file.ssv = Some(SsvEntry { owner: owner.clone(), nonce });
        for_ssv(&mut file.operators, &args.ssv_ids, operators)?;
    }
    if args.preregistration {
        file.preregistration = Some(Draft::NEWEST.into());
    }
    let text = file.to_toml();
    // What is written is what was checked: the text, read back.
    let ceremony = input::parse_ceremony(&text).map_err(|error| messages::spec(&error))?;
    input::write_new(&args.output, text.as_bytes())?;
    talk(
        "Send this same file to every operator. Before anything is signed, all operators compare \
         the fingerprint by voice.",
    );
    if args.like.is_some() {
        talk(
            "These will be new keys; the validators that exist are not touched. A deposit file for \
             both: quorate export launchpad, with both transcripts.",
        );
    }
    if let Some(warning) = unreachable(&ceremony) {
        talk(&format!("WARNING: {warning}"));
    }
    let mut fields = fields(&ceremony);
    fields["file"] = args.output.display().to_string().into();
    out.finish(
        Exit::Done,
        fields,
        &format!("Wrote {}\n\n{}", messages::shown(&args.output), describe(&ceremony)),
    )
}

/// What is said of a ceremony file in which nobody can call anybody.
fn unreachable(ceremony: &Ceremony) -> Option<&'static str> {
    let nobody = ceremony.roster().iter().all(|(_, seat)| seat.address.is_none());
    nobody.then_some(
        "no operator has an address (CARD@HOST:PORT): nobody can call anybody. One operator that \
         all \
         others can reach is enough",
    )
}

/// The ceremony file that the flags describe, unchecked.
fn file(args: &SpecNew) -> Result<CeremonyFile, CliError> {
    if let Some(definition) = &args.obol_definition {
        return cluster(args, definition);
    }
    if let Some(transcript) = &args.like {
        return spec_like::file(args, transcript);
    }
    let required = || messages::internal("a flag that is required is not there");
    if args.validators.len() != args.withdrawal.len() {
        return Err(messages::pairs(args.validators.len(), args.withdrawal.len()));
    }
    let amounts = (!args.amounts.is_empty())
        .then(|| args.amounts.iter().cloned().map(AmountText).collect::<Vec<_>>());
    let compounding = args.compounding.ok_or_else(required)?;
    let validators =
        args.validators.iter().zip(&args.withdrawal).map(|(count, withdrawal)| ValidatorEntry {
            count: (*count).into(),
            withdrawal: withdrawal.clone(),
            compounding,
            amounts: amounts.clone(),
            fee_recipient: args.fee_recipient.clone(),
            gas_limit: args.gas_limit,
            first: None,
            keys: None,
        });
    Ok(CeremonyFile {
        version: FILE_VERSION,
        name: args.name.clone().ok_or_else(required)?,
        id: hex::encode(random::public()),
        attempt: 1,
        supersedes: None,
        network: NetworkEntry::Known(args.network.clone().ok_or_else(required)?),
        threshold: args.threshold.ok_or_else(required)?,
        policy: PolicyEntry { allow_all_required: args.allow_all_required },
        parent: None,
        import: None,
        repair: None,
        ssv: None,
        operators: operators(args)?,
        validators: validators.collect(),
        obol: None,
        preregistration: None,
    })
}

/// Gives each operator its number and its key in SSV's contract, and puts them in the order of
/// their numbers.
fn for_ssv(operators: &mut [OperatorEntry], ids: &[u64], path: &Path) -> Result<(), CliError> {
    if operators.len() != ids.len() {
        return Err(messages::ssv_pairs(operators.len(), ids.len()));
    }
    let known = parse_operators_info(&input::read(path, MOST_OPERATORS_INFO)?);
    let known = known.map_err(|error| messages::operators_info(path, &error))?;
    for (operator, id) in operators.iter_mut().zip(ids) {
        let info = known
            .iter()
            .find(|info| info.id == *id)
            .ok_or_else(|| messages::no_ssv_operator(path, *id))?;
        (operator.point, operator.ssv_key) = (Some(*id), Some(info.key.to_text()));
    }
    operators.sort_by_key(|operator| operator.point);
    Ok(())
}

/// The ceremony file that a cluster definition describes; flags that say something too have to
/// agree with it.
fn cluster(args: &SpecNew, path: &Path) -> Result<CeremonyFile, CliError> {
    let contracts = contracts(&args.contract_wallets)?;
    let bytes = input::read(path, MOST_BYTES)?;
    let checked = ClusterDefinition::parse(&bytes)
        .and_then(|definition| Cluster::check(definition, contracts));
    let cluster = checked.map_err(|error| match recognise::kind(&bytes) {
        Some(kind) if kind != recognise::DEFINITION => messages::no_definition(path, kind),
        _ => messages::definition(path, &error),
    })?;
    let (given, expected) = (args.operators.len(), cluster.definition().operators.len());
    if given != expected {
        return Err(messages::cluster_operators(path, given, expected));
    }
    let operators = operators(args)?;
    let own_name = &cluster.definition().name;
    if args.name.is_none() {
        check_name(own_name, LONGEST_NAME)
            .map_err(|error| messages::cluster_name(path, own_name, &error))?;
    }
    let name = args.name.as_deref().unwrap_or(own_name);
    let mut file = ceremony_file(&cluster, name, &random::public(), operators)
        .map_err(|error| messages::spec(&error))?;
    if let Some(threshold) = args.threshold.filter(|threshold| *threshold != file.threshold) {
        return Err(messages::contradicts(
            "--threshold",
            &threshold.to_string(),
            &file.threshold.to_string(),
        ));
    }
    match (&args.network, &file.network) {
        (Some(given), NetworkEntry::Known(known)) if given != known => {
            return Err(messages::contradicts("--network", given, known));
        }
        _ => {}
    }
    file.policy.allow_all_required = args.allow_all_required;
    Ok(file)
}

fn operators(args: &SpecNew) -> Result<Vec<OperatorEntry>, CliError> {
    args.operators.iter().map(|text| operator(text)).collect()
}

/// `card@host:port` or `@file@host:port`, also without an address.
pub(crate) fn operator(text: &str) -> Result<OperatorEntry, CliError> {
    let (card, address) = card_file::with_address(text)?;
    Ok(OperatorEntry { card, address, ..OperatorEntry::default() })
}

/// Everything that is agreed, for programs. Amounts are in gwei, as in the deposit messages.
pub(crate) fn fields(ceremony: &Ceremony) -> Value {
    let operators = ceremony.roster().iter().map(|(index, seat)| {
        json!({
            "index": index.get(),
            "name": seat.card.name.as_str(),
            "key": hex::encode(seat.card.key.as_bytes()),
            "point": ceremony.parts().receivers.contains(index).then_some(seat.point),
            "address": seat.address.as_ref().map(Endpoint::to_string),
            "ssv_key": ceremony.ssv().map(|ssv| ssv.keys[index.position()].to_text()),
        })
    });
    let validators = ceremony.validators().chunk_by(|a, b| a == b).map(|equal| {
        json!({
            "count": equal.len(),
            "withdrawal": equal[0].withdrawal.address().to_string(),
            "compounding": equal[0].withdrawal.is_compounding(),
            "amounts_gwei": equal[0].amounts,
            "fee_recipient": equal[0].registration.map(|wanted| wanted.fee_recipient.to_string()),
            "gas_limit": equal[0].registration.map(|wanted| wanted.gas_limit),
        })
    });
    let mut fields = json!({
        "fingerprint": fingerprint(&ceremony.digest()).join(" "),
        "digest": ceremony.digest().to_string(),
        "name": ceremony.name(),
        "id": hex::encode(ceremony.id()),
        "attempt": ceremony.attempt(),
        "supersedes": ceremony.supersedes().map(|digest| digest.to_string()),
        "network": ceremony.network().name(),
        "threshold": ceremony.t(),
        "ssv": ceremony.ssv().map(|ssv| json!({ "owner": ssv.owner.to_string(),
        "nonce": ssv.nonce })),
        "operators": operators.collect::<Vec<_>>(),
        "validators": validators.collect::<Vec<_>>(),
        "validator_count": ceremony.v(),
        "warnings": warnings(ceremony),
        "obol": ceremony.obol().map(|cluster| json!({
            "definition_hash": format!("0x{}", hex::encode(cluster.definition().definition_hash)),
            "unchecked":
                cluster.unchecked().iter().map(|one| one.field.as_str()).collect::<Vec<_>>(),
        })),
    });
    if let Some(draft) = ceremony.preregistration() {
        fields["preregistration"] = json!({ "draft": draft.date() });
    }
    if let Some(spec) = ceremony.reshare() {
        of_reshare(spec, &mut fields);
    }
    fields
}

/// What a reshare or import has besides. Numbers of operators and validators of a reshare are the
/// parent's, from 1.
fn of_reshare(spec: &ReshareSpec, fields: &mut Value) {
    let validators = spec.validators.iter().map(|one| {
        json!({
            "number": one.position + 1,
            "public_key": format!("0x{}", hex::encode(one.key)),
        })
    });
    let validators: Vec<Value> = validators.collect();
    let dealers = spec.parts().dealers;
    match spec.origin.parent() {
        Some(parent) => {
            fields["parent"] = json!({
                "certificate": parent.certificate.to_string(),
                "rows": parent.rows.to_string(),
                "operators": parent.threshold.participants(),
                "threshold": parent.threshold.required(),
                "validators": validators,
            });
        }
        None => {
            fields["import"] = json!({
                "dealer": dealers.iter().next().map(|dealer| dealer.get()),
                "validators": validators,
            });
        }
    }
    for (at, part) in spec.seats.iter().enumerate() {
        let seat = &mut fields["operators"][at];
        if spec.origin.parent().is_some() {
            seat["deals"] = part.deals.map(|share| share.index.get()).into();
            seat["witness"] = part.witnesses.map(|share| share.index.get()).into();
            seat["old_point"] = spec.share_of(part).map(|share| share.point).into();
        }
        if part.receives
            && let Some(lost) = spec.regained
        {
            seat["regains"] = lost.index.get().into();
        }
        seat["receives"] = part.receives.into();
    }
}
