//! End: an agreement is over, and every token of it with it.

use crate::agreement::{Agreement, AgreementStage, EndedBy};
use crate::journal;
use crate::message::{self, About};
use crate::moment::Moment;
use crate::notification::outbox;
use crate::outcome::Ruled;
use crate::secret::{SecretKind, SecretRef};
use crate::store::{StoreFault, Tx};
use crate::voice::{Context, Event};

/// Ends an agreement, tells its owner and its user, and keeps who did it. Ending what has ended changes nothing.
pub fn end(
    tx: &mut dyn Tx,
    agreement: Agreement,
    by: EndedBy,
    actor: &str,
    context: Context<'_>,
    at: &Moment,
) -> Ruled<Agreement> {
    if agreement.ended() {
        return Ok(agreement);
    }
    let ended = Agreement { stage: AgreementStage::Ended { at: at.now, by }, ..agreement };
    tx.update_agreement(&ended)?;
    let subject = ended.id.as_str().to_owned();
    journal::append(tx, at, ended.id.bucket(), "agreement.ended", &subject, actor, by.as_str())?;

    let terms = tx
        .terms(&ended.auth_id)?
        .ok_or_else(|| StoreFault::Corrupt(format!("agreement {} has no terms", ended.id)))?;
    let mut notice = outbox::Notice::new(at, ended.id.bucket(), &format!("ended/{}", ended.id));
    let access = tx.token_set(&ended.id, ended.generation)?.map(|set| {
        notice.mark(SecretRef {
            kind: SecretKind::AccessToken,
            agreement: ended.id.clone(),
            generation: set.generation,
            salt: set.salt,
        })
    });
    let event = Event::TokenCanceled { agreement: &ended, terms: &terms, access: access.as_deref(), by };
    notice.leave(tx, &ended.client, context, &event)?;
    if let Some(user) = tx.user(&ended.customer)? {
        let (agreement, merchant) = (ended.id.clone(), terms.display_name);
        message::tell(
            tx,
            at,
            &user,
            About::Ended { agreement, merchant, by },
            &context.voice.policy().messages,
        )?;
    }
    Ok(ended)
}
