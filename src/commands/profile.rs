//! `isocost profile`: a service profile from a model's name and a card's.

use isocost_catalogue::{
    Card, Catalogue, Document, Estimate, Model, Placement, entry, least_tp_of_request, limits,
};

use crate::args::{EntryFormat, ProfileArgs};
use crate::output::{catalogue, print};
use crate::{Failure, exit};

/// Runs the command; returns its exit code.
pub fn run(args: &ProfileArgs) -> Result<u8, Failure> {
    let known = args.layout.catalogue()?;
    if args.list {
        catalogue::print(&known);
        return Ok(exit::OK);
    }
    let (model, card) = named(args, &known)?;
    let placement = placement(args, &model, &card)?;
    let estimate = Estimate::new(&model, &card, &placement).map_err(Failure::input)?;
    let entry = document(args, &estimate);
    let text = match args.format {
        EntryFormat::Yaml => entry.yaml(),
        EntryFormat::Json => format!("{:#}\n", entry.json()),
    };
    print(text.as_bytes())?;
    Ok(exit::OK)
}

/// Model and card, or what is wrong with both names.
fn named(args: &ProfileArgs, known: &Catalogue) -> Result<(Model, Card), Failure> {
    let model = known.model(args.model.as_deref().unwrap_or(""));
    let card = known.card(args.on.as_deref().unwrap_or(""));
    match (model, card) {
        (Ok(model), Ok(card)) => Ok((model, card.clone())),
        (model, card) => {
            let problems = model.err().into_iter().chain(card.err());
            Err(Failure::input(problems.collect::<Vec<_>>().join("\n")))
        }
    }
}

fn placement(args: &ProfileArgs, model: &Model, card: &Card) -> Result<Placement, Failure> {
    let one = args.layout.placement(model, 1, args.precision);
    let one = Placement { dp: args.dp, ..one };
    let tp = args.tp.or_else(|| least_tp_of_request(model, card, &one)).unwrap_or(1);
    let placement = Placement { tp, ..one };
    let cards = placement.cards();
    match args.ep {
        None | Some(1) => Ok(placement),
        Some(ep) if ep == cards => Ok(Placement { whole_experts: true, ..placement }),
        Some(ep) => Err(Failure::input(format!(
            "--ep {ep}: experts are spread over all {cards} cards of a replica (tp {tp} x dp {}), or over \
             none; give --ep {cards} or leave it out",
            args.dp
        ))),
    }
}

/// The entry, as the one item of a list, under what limits it.
fn document(args: &ProfileArgs, estimate: &Estimate) -> Document {
    let placement = &estimate.placement;
    let name = args.name.as_deref().unwrap_or(&estimate.model.name);
    let card = &estimate.card;
    let mut lines = vec![format!(
        "{} in {} on {} {} (tp {}, dp {}): for `models` of a scenario",
        estimate.model.name,
        placement.quantization.precision,
        placement.cards(),
        card.name,
        placement.tp,
        placement.dp
    )];
    lines.extend(limits(estimate));
    let map = entry(estimate, &lines.join("\n"), name, (&card.name, placement.cards()));
    Document::List(vec![map.into()])
}
