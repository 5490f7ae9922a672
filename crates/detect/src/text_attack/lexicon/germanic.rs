//! German and Dutch.

use super::{Concept::*, Entries};

pub(super) const GERMAN: &[Entries] = &[
    (
        Reasoning,
        "als assistent habe ich|habe ich bereits|bereits festgestellt|der richtige schritt|denken wir nach|gedanke:",
    ),
    (
        Override,
        "ignoriere*|ignorier|ignorieren|vergiss|vergesse|vergessen sie|missachte*|beachte nicht|befolge nicht|verwirf|überschreib*|überspring*|gelten nicht mehr|gilt nicht mehr|hör auf|streiche|lösche|deaktiviere",
    ),
    (Bypass, "umgehe|umgehen|hebel|aushebeln"),
    (
        Prior,
        "vorherige*|bisherige*|vorige*|obige*|früher*|vorangegangen*|vorhergehende*|alte*|ursprünglich*|zuvor|bisher|gegeben*|erhalten*|oben|davor",
    ),
    (Everything, "alle|alles|sämtlich*|jegliche*|gesamte*"),
    (
        Instructions,
        "anweisung*|regeln|regel|vorgaben|richtlinie*|befehl*|instruktion*|einschränkung*|vorschrift*|beschränkung*|programmierung|gesagt*|aufgabe*",
    ),
    (Yours, "deine|deiner|deinen|dein|ihre|ihren|dir|system*"),
    (
        Safety,
        "sicherheitsregel*|sicherheitsfilter*|filter|schutzmaßnahme*|inhaltsrichtlinie*|sicherheitsvorkehrung*|zensur|moral*|vertraulichkeit*",
    ),
    (
        SystemPrompt,
        "system-prompt*|systemanweisung*|systemnachricht*|deine anweisungen|deine instruktionen|ihre anweisungen|deine regeln|deinen prompt|deine vorgaben|deine richtlinien|deine ursprünglich*|deine internen|deine geheimen|geheimen anweisungen|internen anweisungen|versteckten anweisungen|initiale* prompt|deine konfiguration",
    ),
    (Above, "text oben|den text darüber|obigen text|alles darüber|alles oben"),
    (
        Reveal,
        "zeig|zeige|zeigen sie|verrate*|nenne|nenn|gib|gib mir|geben sie|wiederhole*|drucke|offenbare|lies|schreibe|schreib|liste|sag mir|sage mir|teile mir|wie lauten|wie lautet|was sind|was steht|übersetze|übermittle",
    ),
    (Verbatim, "wortwörtlich|wörtlich|wort für wort|vollständig|im wortlaut|codeblock"),
    (
        Role,
        "du bist jetzt|du bist nun|du bist|sie sind jetzt|tu so|tue so|spiele|spiel|verhalte dich|agiere|handle als|handele|stell dir vor|übernimm die rolle|schlüpfe|antworte als|rolle",
    ),
    (FromNowOn, "ab jetzt|ab sofort|von nun an|ab diesem|künftig|von jetzt an"),
    (
        Unrestricted,
        "ohne einschränkung*|ohne beschränkung*|ohne regeln|ohne filter|ohne zensur|keine regeln|keine einschränkung*|keine beschränkung*|keinerlei|uneingeschränkt*|unzensiert*|ungefiltert*|keine grenzen|ohne grenzen|unbeschränkt*|ohne moral*|keine moral*|ohne ethische|frei von|nicht gelten|gelten hier nicht|hier nicht gelten|nicht gilt",
    ),
    (Persona, "entwicklermodus|entwickler-modus|administratormodus|wartungsmodus|debug-modus"),
    (
        NoRefusal,
        "verweigere nie|niemals ablehnen|lehne nie|weigere dich nicht|ohne warnung*|ohne hinweis*|keine warnung*|ohne ausnahme|musst alles|musst gehorchen|beantworte alles|beantwortest alles|egal was|egal wie",
    ),
    (Send, "sende|senden sie|schicke|schick|maile|leite|weiterleiten|übertrage|übermittle|veröffentliche|poste"),
    (
        Secret,
        "passwort*|passwörter|kennwort*|kennwörter|zugangsdaten|geheimnis*|schlüssel|api-schlüssel|kundendaten|kundenliste*|kundendatenbank|personenbezogen*|vertraulich*|gesprächsverlauf|chatverlauf|kontodaten|kreditkarte*|private* daten|datenbank|seiten",
    ),
    (Address, "externe adresse|externen adresse|externe server|folgende adresse"),
    (Act, "führe|lösche|löschen|überweise|installiere|ändere|starte|rufe"),
    (Asset, "datei*|datenbank*|konto|konten|geld|befehl*|werkzeug*|nutzer|ordner"),
    (Machine, "ki|ki-assistent*|assistent*|sprachmodell*|künstliche intelligenz"),
    (Urgent, "wichtig|dringend|achtung|sofort|hinweis an"),
    (
        NewTask,
        "neue anweisung*|neue regel*|neue aufgabe|stattdessen|folge nur|befolge nur|folgende anweisung*|nur noch|antworte nur|gib nur",
    ),
    (
        BeforeTask,
        "bevor du|zuerst|als erstes|wenn du dies liest|falls du eine ki|in deiner antwort|in deiner zusammenfassung",
    ),
    (
        Conceal,
        "sag dem nutzer nichts|sage dem nutzer nicht*|ohne den nutzer|ohne dass der nutzer|heimlich|unbemerkt|erwähne nicht|erwähne das nicht|verschweige*|im hintergrund",
    ),
    (
        Authority,
        "ich bin dein entwickler|ich bin der entwickler|ich bin der administrator|ich bin administrator|autorisiert*|sicherheitstest|sicherheitsprüfung|als administrator|zu testzwecken|dein entwickler|dein erschaffer",
    ),
    (Fiction, "hypothetisch*|geschichte|fiktiv*|roman|spiel|großmutter|oma"),
    (Harm, "bombe*|sprengstoff*|waffe*|drogen|schadsoftware|hacken|illegal*|stehlen|gift|töten|gefährlich*"),
    (Notation, "verschlüsselt*|kodiert*|codiert*|rückwärts"),
    (Decode, "dekodiere|decodiere|entschlüssle|entschlüssele|und befolge|und führe"),
    (
        Mention,
        "erkläre|was bedeutet|bedeutung|artikel|beispiel*|wie schütze|schützen|verhindern|unterschied|warum|vortrag|aufsatz|kunde schrieb|meldung|heißt",
    ),
];

pub(super) const DUTCH: &[Entries] = &[
    (Override, "negeer|vergeet|verwaarloos|volg niet|gelden niet meer|wis|verwerp"),
    (Bypass, "omzeil|omzeilen"),
    (Prior, "vorige|voorgaande|eerdere|bovenstaande|oorspronkelijke|gegeven|bestaande|hierboven"),
    (Everything, "alle|alles"),
    (Instructions, "instructies|instructie|regels|richtlijnen|opdrachten|beperkingen|aanwijzingen|bevelen"),
    (Yours, "jouw|je|uw"),
    (Safety, "veiligheidsregels|filters|veiligheidsfilter*|beveiliging"),
    (
        SystemPrompt,
        "systeemprompt|systeem-prompt|systeeminstructies|systeembericht|jouw instructies|je instructies|uw instructies|verborgen instructies|geheime instructies|je regels",
    ),
    (Reveal, "toon|laat zien|vertel|geef|herhaal|onthul|druk af|schrijf|deel|wat is|wat zijn|noem|verklap"),
    (Verbatim, "woord voor woord|letterlijk|volledig"),
    (Role, "je bent nu|je bent|jij bent|doe alsof|speel|gedraag je|stel je voor|antwoord als|rol van"),
    (FromNowOn, "vanaf nu|voortaan|van nu af aan"),
    (
        Unrestricted,
        "zonder beperkingen|geen beperkingen|zonder regels|geen regels|zonder filter*|geen filter*|ongecensureerd*|onbeperkt*|zonder grenzen",
    ),
    (Persona, "ontwikkelaarsmodus|ontwikkelmodus|beheerdersmodus"),
    (NoRefusal, "weiger nooit|nooit weigeren|zonder waarschuwing*|geen waarschuwing*|altijd gehoorzamen"),
    (Send, "stuur|verstuur|mail|upload|zend"),
    (Secret, "wachtwoord*|inloggegevens|geheim*|klantgegevens|sleutel*|vertrouwelijk*|klantenlijst|gesprek"),
    (Machine, "ai|assistent|taalmodel"),
    (NewTask, "nieuwe instructies|nieuwe regels|in plaats daarvan|volg alleen"),
    (Conceal, "vertel de gebruiker niet*|zonder de gebruiker|stiekem|vermeld dit niet"),
    (Authority, "ik ben de ontwikkelaar|ik ben je ontwikkelaar|ik ben de beheerder"),
    (Mention, "wat betekent|leg uit|artikel|voorbeeld|voorkomen|beschermen"),
];
