//! The checks of hellos and deals: V5 to V11.

use crate::message::body::{Deal, Hello};
use crate::message::envelope::{Round, Statement};
use crate::message::inbox::view;
use crate::protocol::checks::{self, Signed};
use crate::protocol::evidence::{Fault, Rule};
use crate::protocol::findings;
use crate::protocol::outcome::Sums;
use crate::spec::threshold::Index;

use super::{Each, Rounds, none_of, there};
use crate::audit::code::Code;
use crate::audit::ledger::{Got, Ledger, Stop, have, have_all};
use crate::audit::{describe, details};

impl Rounds {
    /// V5.
    pub(super) fn hellos(&self, ledger: &mut Ledger) -> Each<Signed<Hello>> {
        let shape = &self.shape;
        ledger.each(Code::V5, &self.hellos, |hello| Ok(findings::follows_nothing(hello)?));
        let hellos = ledger.each(Code::V5, &self.hellos, |hello| {
            Ok(checks::decode_one(hello, |bytes, from| Hello::decode(bytes, shape, from))?)
        });
        let _: Got<()> = ledger.part(Code::V5, || none_of(findings::repetitions(&there(&hellos))));
        let _: Got<()> = ledger.done(Code::V5, || details::hellos_differ(shape));
        hellos
    }

    /// V6 to V10. Yields the deals that decode.
    pub(super) fn deals(
        &self,
        hellos: &Each<Signed<Hello>>,
        ledger: &mut Ledger,
    ) -> Each<Signed<Deal>> {
        let shape = &self.shape;
        // The view stands at the front: it is there even if the rest does not decode.
        ledger.each(Code::V6, &self.deals, |deal| {
            let named = view(deal, shape).unwrap_or_default();
            let held = self.hellos.iter().map(|hello| hello.as_ref().ok());
            none_of(findings::view_faults(held, deal, &named))
        });
        if let Ok(session) = self.session {
            let _: Got<()> = ledger.done(Code::V6, || details::reveals_follow(shape, session));
        }
        let opened: Vec<Statement> = there(&self.deals).into_iter().cloned().collect();
        let mut decoded = checks::decode_each_deal(&opened, shape, None).into_iter();
        let deals: Each<Signed<Deal>> = ledger.each(Code::V8, &self.deals, |_| {
            Ok(decoded.next().expect("a result for each deal that is here")?)
        });
        let _: Got<()> = ledger.done(Code::V8, || details::points(shape));
        ledger.each(Code::V7, &deals, |deal| {
            let place = self.place(Round::Hello, deal.sender()).ok_or(Code::V5)?;
            let (hello, deal) = (have(&hellos[place])?, core::slice::from_ref(deal));
            let hello = core::slice::from_ref(hello);
            Ok(checks::opened(&self.ceremony, hello, deal).map(drop)?)
        });
        let _: Got<()> = ledger.done(Code::V7, details::opened);
        let known = self.known_constants(&deals, ledger);
        self.distinct_constants(&deals, &known, ledger);
        deals
    }

    /// V10. Yields who does not know its constant terms.
    fn known_constants(&self, deals: &Each<Signed<Deal>>, ledger: &mut Ledger) -> Vec<Index> {
        let known = |deals: &[&Signed<Deal>]| {
            let session = have(&self.session)?;
            Ok::<_, Code>(checks::known_constants(session, deals).map(drop))
        };
        let together = known(&there(deals)).is_ok_and(|known| known.is_ok());
        let mut unknown = Vec::new();
        ledger.each(Code::V10, deals, |deal| {
            if !together && let Err(fault) = known(&[deal])? {
                unknown.push(deal.sender());
                return Err(fault.into());
            }
            Ok(())
        });
        let _: Got<()> = ledger.done(Code::V10, || details::constants_known(&self.shape));
        unknown
    }

    /// V9. Of two dealers with one constant term, the one that does not know it has copied it, and
    /// the other one is not blamed.
    fn distinct_constants(
        &self,
        deals: &Each<Signed<Deal>>,
        unknown: &[Index],
        ledger: &mut Ledger,
    ) {
        ledger.each(Code::V9, deals, |_| Ok(()));
        for fault in findings::equal_constants(&there(deals)) {
            let _: Got<()> = ledger.part(Code::V9, || Err(self.shared(fault, unknown)));
        }
        let _: Got<()> = ledger.done(Code::V9, || details::constants_differ(&self.shape));
    }

    fn shared(&self, fault: Fault, unknown: &[Index]) -> Stop {
        let Rule::EqualConstants { rows } = fault.rule else { return vec![fault].into() };
        let [(a, v), (b, w)] = rows;
        let who = |index| describe::operator(Some(&self.ceremony), index);
        let copied = |(copier, v): (Index, usize), (from, w): (Index, usize)| {
            Stop::Words(format!(
                "{} for validator {} used the constant term of {} for validator {}, which it did \
                 not prove to know",
                who(copier),
                v + 1,
                who(from),
                w + 1
            ))
        };
        match (unknown.contains(&a), unknown.contains(&b)) {
            (true, true) if a != b => {
                Stop::Words(describe::rule(&fault.rule, Some(&self.ceremony)))
            }
            (true, false) => copied((a, v), (b, w)),
            (false, true) => copied((b, w), (a, v)),
            (false, false) | (true, true) => vec![fault].into(),
        }
    }

    /// V11.
    pub(super) fn sums(&self, deals: &Each<Signed<Deal>>, ledger: &mut Ledger) -> Got<Sums> {
        ledger.check(Code::V11, || {
            let deals = have_all(deals)?;
            let sums = checks::add_up(&self.ceremony, have(&self.session)?, &deals)?;
            let detail = details::sums(&self.shape, sums.digest());
            Ok((sums, detail))
        })
    }
}
